"""What an init system and a container ask of the server: its name among the processes, a word when it
is ready, an end that a second signal hastens.
usage: service.py OCELLUS MODEL PHOTO
SPDX-License-Identifier: BSD-2-Clause"""
import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time

from server import Server, run


def it_bears_its_name(setting):
    """also where it starts itself anew with a setting of the maths library"""
    binary, model, _ = setting
    kept = {name: os.environ.pop(name) for name in ('OMP_WAIT_POLICY', 'GOMP_SPINCOUNT')
            if name in os.environ}
    with Server(binary, model) as server, open('/proc/%d/comm' % server.process.pid) as comm:
        assert comm.read().strip() == 'ocellus'
    os.environ.update(kept)


def ready_is_said_when_it_answers(setting):
    binary, model, folder = setting
    for name in (os.path.join(folder, 'notify'), '@ocellus-%d' % os.getpid()):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as init:
            init.bind(name.replace('@', '\0'))
            init.settimeout(30)
            os.environ['NOTIFY_SOCKET'] = name
            with Server(binary, model) as server:
                assert init.recv(100) == b'READY=1'
                assert server.ask('GET', '/readyz')[0] == 200
            assert init.recv(100) == b'STOPPING=1'
    del os.environ['NOTIFY_SOCKET']


def an_init_that_does_not_listen_harms_nothing(setting):
    binary, model, folder = setting
    for name in (os.path.join(folder, 'nobody'), '@', '', 'relative', '/' + 200 * 'x'):
        os.environ['NOTIFY_SOCKET'] = name
        with Server(binary, model) as server:
            assert server.ask('GET', '/readyz')[0] == 200, name
    del os.environ['NOTIFY_SOCKET']


def a_failed_start_is_never_ready(setting):
    binary, _, folder = setting
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as init:
        init.bind(os.path.join(folder, 'failed'))
        init.setblocking(False)
        environment = dict(os.environ, NOTIFY_SOCKET=os.path.join(folder, 'failed'))
        ended = subprocess.run([binary, 'serve', os.path.join(folder, 'none')], env=environment,
                               stderr=subprocess.PIPE, check=False)
        assert ended.returncode == 2, ended
        try:
            said = init.recv(100)
        except BlockingIOError:
            return
        raise AssertionError(said)


def a_second_signal_ends_at_once(setting):
    binary, model, _ = setting
    server = Server(binary, model)
    with socket.create_connection(('127.0.0.1', server.port), 30) as slow:
        slow.sendall(b'POST /v1/identify HTTP/1.1\r\nHost: x\r\nContent-Type: image/jpeg\r\n'
                     b'Content-Length: 1000\r\n\r\n')
        server.ask('GET', '/healthz')
        server.process.send_signal(signal.SIGTERM)
        for line in server.process.stderr:
            if line.startswith('stopping'):
                break
        assert server.process.poll() is None, 'it waits for the slow one'
        began = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        code = server.process.wait(30)
        assert code == 128 + signal.SIGTERM, code
        assert time.monotonic() - began < 5
    server.process.stderr.close()


def a_port_has_one_server(setting):
    """and is free for the next at once, also where connections of the last are not quite gone"""
    binary, model, _ = setting
    with Server(binary, model) as server:
        where = '127.0.0.1:%d' % server.port
        with contextlib.closing(http.client.HTTPConnection(where, timeout=30)) as open_one:
            open_one.request('GET', '/healthz')
            assert open_one.getresponse().status == 200
            second = subprocess.run([binary, 'serve', model, '--listen', where], timeout=30,
                                    capture_output=True, text=True, check=False)
            assert second.returncode == 3 and 'another program' in second.stderr, second
    with subprocess.Popen([binary, 'serve', model, '--listen', where], stderr=subprocess.PIPE,
                          text=True) as third:
        said = next(line for line in third.stderr if 'listen' in line)
        third.terminate()
        third.stderr.read()
    assert said.startswith('listening on'), said


if __name__ == '__main__':
    with tempfile.TemporaryDirectory() as folder:
        sys.exit(run([it_bears_its_name, ready_is_said_when_it_answers,
                      an_init_that_does_not_listen_harms_nothing, a_failed_start_is_never_ready,
                      a_second_signal_ends_at_once, a_port_has_one_server],
                     (sys.argv[1], sys.argv[2], folder)))
