/*
 * Assets: the files of serve/web/assets/, carried inside the program.
 */
#ifndef TT_SERVE_WEB_ASSETS_H
#define TT_SERVE_WEB_ASSETS_H

#include <stddef.h>

struct tt_web_asset {
    const char *name;
    const unsigned char *data;
    size_t size;
};

/* Every file; the last has a NULL name. Made by part.cmake from the folder. */
extern const struct tt_web_asset tt_web_assets[];

#endif
