/* Flat colours and small letters on RGB images: for pictures that are made here for people to look
 * at. What lies outside the image is cut off.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "image/image_int.h"

#include <string.h>

enum { DOTS_ACROSS = 5, DOTS_DOWN = 9, ADVANCE = OC_LETTER_WIDTH };

static int between(int value, int low, int high) {
    return value < low ? low : value > high ? high : value;
}

void oc_image_fill(oc_image *img, oc_region area, const uint8_t colour[3]) {
    int left = between(area.x, 0, img->width), right = between(area.x + area.width, 0, img->width);
    int top = between(area.y, 0, img->height);
    int bottom = between(area.y + area.height, 0, img->height);
    OC_PROMISE(img->channels == 3);
    for (int y = top; y < bottom; y++) {
        uint8_t *p = img->pixels + ((size_t)y * (size_t)img->width + (size_t)left) * 3;
        for (int x = left; x < right; x++, p += 3) {
            for (int c = 0; c < 3; c++) p[c] = colour[c];
        }
    }
}

void oc_image_paste(oc_image *img, int x, int y, const oc_image *from) {
    int left = between(-x, 0, from->width), right = between(img->width - x, 0, from->width);
    OC_PROMISE(img->channels == 3 && from->channels == 3);
    for (int row = 0; row < from->height && left < right; row++) {
        if (y + row < 0 || y + row >= img->height) continue;
        size_t dst = (size_t)(y + row) * (size_t)img->width + (size_t)(x + left);
        size_t src = (size_t)row * (size_t)from->width + (size_t)left;
        memcpy(img->pixels + dst * 3, from->pixels + src * 3, (size_t)(right - left) * 3);
    }
}

/* The next character of *text, which moves behind it; 0 at the end, '?' for what is no UTF-8. */
static uint32_t next_code(const char **text) {
    const unsigned char *p = (const unsigned char *)*text;
    uint32_t code = p[0];
    if (code == 0) return 0;
    *text += 1;
    if (code < 0x80) return code;
    while (((unsigned char)**text & 0xC0) == 0x80) *text += 1;
    bool two = code >= 0xC2 && code <= 0xDF && *text == (const char *)p + 2;
    return two ? (code & 0x1F) << 6 | (p[1] & 0x3F) : '?';
}

size_t oc_text_letters(const char *text) {
    size_t count = 0;
    while (next_code(&text) != 0) count++;
    return count;
}

static void draw_letter(oc_image *img, int x, int y, const oc_pen *pen, uint32_t code) {
    uint64_t dots = oci_glyph(code);
    int s = pen->scale;
    for (int i = 0; i < DOTS_ACROSS * DOTS_DOWN; i++) {
        int across = i % DOTS_ACROSS, down = i / DOTS_ACROSS;
        if ((dots >> (DOTS_ACROSS * DOTS_DOWN - 1 - i) & 1) == 0) continue;
        oc_region dot = {x + across * s, y + down * s, s, s};
        if (pen->upwards) dot = (oc_region){x + down * s, y - (across + 1) * s, s, s};
        oc_image_fill(img, dot, pen->colour);
    }
}

void oc_image_text(oc_image *img, int x, int y, const oc_pen *pen, const char *text, size_t most) {
    bool cut = oc_text_letters(text) > most;
    for (size_t i = 0; i < most; i++) {
        uint32_t code = next_code(&text);
        if (code == 0) return;
        if (cut && i + 2 >= most) code = '.';
        draw_letter(img, x, y, pen, code);
        x += pen->upwards ? 0 : ADVANCE * pen->scale;
        y -= pen->upwards ? ADVANCE * pen->scale : 0;
    }
}
