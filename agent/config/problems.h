/* problems.h: what is wrong with a configuration, all of it at once, each with its place.
 *
 * Whoever reads the configuration adds problems as it finds them and goes on; at the end they are printed
 * sorted by place:
 *
 *   sluice.yaml:7:9: error: `pth` is not an option of input `tail`
 *     |         pth: /var/log/booking.log
 *     |         ^^^
 *     hint: did you mean `path`?
 *
 * Secrets. A shown source line never holds one: ranges given to sl_problems_hide() read `***`, whenever they
 * are given (lines are cut out only when printing), and so do passwords in URLs. Messages and hints are shown
 * as given: who writes them keeps values of secrets out.
 *
 * Owned by one thread. Everything given is copied.
 */
#ifndef SLUICE_CONFIG_PROBLEMS_H
#define SLUICE_CONFIG_PROBLEMS_H

#include <sluice/base.h>

#define SL_MAX_PROBLEMS 100 /* more are counted, not kept */

/* A place in a configuration. Line and column count from 1, columns in characters (code points). line 0: the
 * file as a whole. file NULL: no file at all (the command line). `file` is not owned by the mark. */
typedef struct sl_mark {
    const char *file;
    uint32_t line, column;
    uint32_t end_line, end_column; /* one past the last character; 0: not known */
} sl_mark;

typedef struct sl_problems sl_problems;

sl_problems *sl_problems_new(void);
void sl_problems_free(sl_problems *problems); /* NULL is fine */

/* The text of a file, from which lines are shown. */
void sl_problems_add_source(sl_problems *problems, const char *file, sl_span text);
/* What stands from mark's start to its end is a secret. Marks without an end hide the rest of the line. */
void sl_problems_hide(sl_problems *problems, sl_mark mark);
/* The file can't be parsed, so nobody will say where its secrets are: whatever follows a key that looks like
 * one is hidden to the end of its line. */
void sl_problems_hide_by_name(sl_problems *problems, const char *file);

/* hint: what to do, without the word "hint"; NULL for none. The message starts in lower case, has no final
 * stop. */
void sl_problems_error(sl_problems *problems, sl_mark mark, const char *hint, const char *fmt, ...)
    SL_PRINTF(4, 5);
void sl_problems_warn(sl_problems *problems, sl_mark mark, const char *hint, const char *fmt, ...)
    SL_PRINTF(4, 5);

size_t sl_problems_errors(const sl_problems *problems);
size_t sl_problems_warnings(const sl_problems *problems);
/* Appends all of them, sorted by file (in the order the sources came), line and column, and a last line when
 * some were not kept. */
void sl_problems_print(const sl_problems *problems, sl_buf *out);

#endif
