/* Looking for many secrets at once in a stream of bodies.
 *
 * Of each secret the 8 bytes that are rarest among all secrets stand for it (a JWT's signature, not its
 * header). A table of their hashes is asked at every byte; only where it says yes the whole secret is
 * compared. */
#ifndef NEEDLES_H
#define NEEDLES_H

#include <stddef.h>
#include <stdint.h>

#define NEEDLE_MIN 8 /* bytes; the shortest secret that can be searched for */

typedef struct needles needles;

/* Loads the secrets of a file, one a line; equal lines count once. Exits with a message when the file can't
 * be read or a line is shorter than NEEDLE_MIN. The caller owns the result. */
needles *needles_load(const char *path);
void needles_free(needles *set);

/* How often a secret stands in `text`. */
uint64_t needles_count(const needles *set, const char *text, size_t len);

#endif
