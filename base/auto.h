/*
 * Auto: handles of libraries that are freed when their variable goes out of scope.
 *
 * TT_DEFINE_AUTO(TYPE, FREE) once in a file, then TT_AUTO(TYPE) *handle = NULL; FREE is given what
 * the variable points to at the end, NULL as well.
 */
#ifndef TT_BASE_AUTO_H
#define TT_BASE_AUTO_H

#define TT_DEFINE_AUTO(type, free_it)                                                              \
    static void close_##type(type **handle)                                                        \
    {                                                                                              \
        free_it(*handle);                                                                          \
    }
#define TT_AUTO(type) __attribute__((cleanup(close_##type))) type

#endif
