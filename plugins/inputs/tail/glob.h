/* glob.h: path patterns: what they match, and which files there are.
 *
 *   *        any run of bytes within one name          ?   one character (a UTF-8 one counts as one)
 *   [a-z_]   one byte of the class; [!…] or [^…] not   \   the next character as it is
 *   {a,b}    either; may be nested and hold `/`        **  as a whole name: any number of folders, also none
 *
 * A name that starts with `.` is matched only by a pattern that says so, as in a shell. A relative pattern
 * counts from the working directory. `a/` + `**` means `a/` + `**` + `/` + `*`.
 */
#ifndef TAIL_GLOB_H
#define TAIL_GLOB_H

#include <sluice/base.h>
#include <sluice/option.h>

#define TAIL_MAX_GLOBS   1024 /* patterns after {a,b} is written out */
#define TAIL_MAX_PARTS   128  /* names in a pattern */
#define TAIL_MAX_ANY     4    /* `**` in a pattern */
#define TAIL_MAX_PATH    4096 /* bytes of a path, with the NUL */
#define TAIL_MAX_DESCENT 64   /* folders one `**` stands for */

/* Immutable. */
typedef struct tail_globs tail_globs;

typedef enum tail_glob_kind {
    TAIL_GLOB_PATHS, /* as above */
    TAIL_GLOB_NAMES, /* for exclude: a pattern without `/` is about the last name; `.` is nothing special */
} tail_glob_kind;

/* patterns: sl_list of sl_span. NULL: SL_E_SYNTAX or SL_E_LIMIT naming the pattern. */
tail_globs *tail_globs_new(sl_list patterns, tail_glob_kind kind, sl_err *err);
void tail_globs_free(tail_globs *globs); /* NULL is fine */
bool tail_globs_match(const tail_globs *globs, const char *path);
/* Whether something below this folder may match. */
bool tail_globs_leads(const tail_globs *globs, const char *path);

/* What a walk finds. Paths are valid during the call. A file may be told more than once. */
typedef struct tail_walk {
    /* Names in this folder matter. Called before it is read, so that a watch put on it here misses nothing.
     */
    void (*folder)(void *arg, const char *path);
    /* A path that matches; it need not be a file, nor (after a last name without wildcards) exist. */
    void (*found)(void *arg, const char *path);
    /* A folder that could not be read (not: that is not there). error: an errno. */
    void (*failed)(void *arg, const char *path, int error);
    void *arg;
    const char *only; /* NULL, or a path: nothing but it and what is below */
} tail_walk;

/* Follows symbolic links; a folder is entered once for each `**`, however many links lead to it. */
void tail_globs_walk(const tail_globs *globs, const tail_walk *walk);

#endif
