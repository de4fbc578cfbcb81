/* A file of the tree compiled in as text: EMBED(sql_0001, "schema/sqlite/0001_recording.sql") defines
 *   static const char sql_0001[] (NUL-terminated) and sql_0001_size (without the NUL).
 * Paths are relative to the top of the tree, where make runs. The Makefile names the file as a prerequisite.
 */
#ifndef CORE_EMBED_H
#define CORE_EMBED_H

#include <stddef.h>

#define EMBED(name, path)                                                                                    \
    extern const char name[] __attribute__((visibility("hidden")));                                          \
    extern const char name##_end[] __attribute__((visibility("hidden")));                                    \
    __asm__(".pushsection .rodata\n" #name ":\n.incbin \"" path "\"\n" #name "_end:\n.byte 0\n.popsection\n")
/* Bytes, without the NUL. */
#define EMBED_SIZE(name) ((size_t)(name##_end - name))

#endif
