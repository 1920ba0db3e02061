"""A running `ocellus serve` for a test, and the few calls that tests make of it. Standard library only.
SPDX-License-Identifier: BSD-2-Clause"""
import http.client
import json
import re
import signal
import socket
import subprocess
import sys


class Server:
    def __init__(self, binary, *arguments, listen='127.0.0.1'):
        self.process = subprocess.Popen([binary, 'serve', *arguments, '--listen', listen + ':0'],
                                        stderr=subprocess.PIPE, text=True)
        self.said = ''
        for line in self.process.stderr:
            self.said += line
            found = re.search(r'listening on https?://[\d.]+:(\d+)/', line)
            if found:
                self.port = int(found.group(1))
                return
        raise SystemExit('the server did not start: ' + self.said)

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self.process.send_signal(signal.SIGTERM)
        _, rest = self.process.communicate(timeout=60)
        if kind is None and self.process.returncode != 0:
            raise SystemExit('the server ended with %d: %s' % (self.process.returncode, rest))
        if kind is not None:
            sys.stderr.write(rest)

    def ask(self, method, path, body=None, headers=None):
        """status, headers, bytes of one request on a connection of its own"""
        connection = http.client.HTTPConnection('127.0.0.1', self.port, timeout=30)
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer.status, answer.headers, content

    def json(self, method, path, body=None, headers=None):
        status, _, content = self.ask(method, path, body, headers)
        return status, json.loads(content)

    def raw(self, text, seconds=30):
        """what comes back for these bytes until the connection ends"""
        with socket.create_connection(('127.0.0.1', self.port), seconds) as connection:
            connection.sendall(text)
            connection.shutdown(socket.SHUT_WR)
            return b''.join(iter(lambda: connection.recv(65536), b''))


def form(parts, boundary='boundary-of-the-test'):
    """body and headers of a multipart form; parts: (name, filename or None, bytes)"""
    body = b''
    for name, filename, content in parts:
        where = '; filename="%s"' % filename if filename is not None else ''
        body += ('--%s\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n'
                 % (boundary, name, where)).encode() + content + b'\r\n'
    body += ('--%s--\r\n' % boundary).encode()
    return body, {'Content-Type': 'multipart/form-data; boundary=' + boundary}


def run(claims, *arguments):
    """call each claim of a list, say which do not hold, end with the count of those"""
    failed = 0
    for claim in claims:
        try:
            claim(*arguments)
        except AssertionError as error:
            failed += 1
            import traceback
            print('FAILED:', claim.__name__, error)
            traceback.print_exc()
    print('%d of %d claims hold' % (len(claims) - failed, len(claims)))
    return 1 if failed else 0
