/* Small letters, drawn for this program: 95 printable ASCII characters of 5 x 9 dots, the last two
 * rows below the line. A glyph is 45 bits, row after row from the top, the leftmost dot first in
 * the highest bit. Letters with marks lose them; what is beyond that is a question mark.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "image/image_int.h"

enum { FIRST = ' ', LAST = '~', MARKED = 0xC0, MARKED_END = 0x180 };

/* clang-format off */
static const uint64_t glyphs[] = {
    0x000000000000, 0x042108401000, 0x0a5280000000, 0x0a57d5f52800, 0x047d1c5f1000,
    0x19c88889cc00, 0x0c9511593400, 0x042100000000, 0x022210820800, 0x082084222000,
    0x00255d520000, 0x00213e420000, 0x000000063088, 0x00003e000000, 0x000000063000,
    0x010888884000, 0x0e8ceb98b800, 0x046108423800, 0x0e884c887c00, 0x0e884c18b800,
    0x0232a5f10800, 0x1f878218b800, 0x06443d18b800, 0x1f0888421000, 0x0e8c5d18b800,
    0x0e8c5e113000, 0x006300c60000, 0x006300063088, 0x022220820800, 0x0007c1f00000,
    0x082082222000, 0x0e884c401000, 0x0e8deb683c00, 0x045463f8c400, 0x1e8c7d18f800,
    0x0e8c2108b800, 0x1e8c6318f800, 0x1f843d087c00, 0x1f843d084000, 0x0e8c2f18bc00,
    0x118c7f18c400, 0x0e2108423800, 0x071084293000, 0x119531494400, 0x108421087c00,
    0x11dd6b18c400, 0x11ce6b39c400, 0x0e8c6318b800, 0x1e8c7d084000, 0x0e8c63593400,
    0x1e8c7d494400, 0x0f841c10f800, 0x1f2108421000, 0x118c6318b800, 0x118c62a51000,
    0x118c6b5dc400, 0x118a88a8c400, 0x118a88421000, 0x1f0888887c00, 0x0e4210843800,
    0x108208208400, 0x0e1084213800, 0x045440000000, 0x0000000003e0, 0x082080000000,
    0x000382f8bc00, 0x1087a318f800, 0x0003a308b800, 0x010be318bc00, 0x0003a3f83800,
    0x064a38842000, 0x0003e318bc2e, 0x1087a318c400, 0x040308423800, 0x020184210a4c,
    0x1084a98a4800, 0x0c2108423800, 0x0006ab5ac400, 0x0007a318c400, 0x0003a318b800,
    0x0007a318fa10, 0x0003e318bc21, 0x0005b3084000, 0x0003e0e0f800, 0x084710849800,
    0x00046318bc00, 0x000463151000, 0x0004635aa800, 0x000454454400, 0x00046318bc2e,
    0x0007c4447c00, 0x032110420c00, 0x042108421000, 0x182104426000, 0x00026b200000,
};

/* U+00C0 to U+017F without their marks. */
static const char plain[] =
    "AAAAAAACEEEEIIIIDNOOOOOxOUUUUYTsaaaaaaaceeeeiiiidnooooo/ouuuuyty"
    "AaAaAaCcCcCcCcDdDdEeEeEeEeEeGgGgGgGgHhHhIiIiIiIiIiIiJjKkkLlLlLlL"
    "lLlNnNnNnnNnOoOoOoOoRrRrRrSsSsSsSsTtTtTtUuUuUuUuUuUuWwYyYZzZzZzs";
/* clang-format on */

uint64_t oci_glyph(uint32_t code) {
    if (code >= MARKED && code < MARKED_END) code = (uint32_t)plain[code - MARKED];
    if (code < FIRST || code > LAST) code = '?';
    return glyphs[code - FIRST];
}
