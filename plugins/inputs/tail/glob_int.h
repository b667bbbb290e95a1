/* glob_int.h: a pattern as its parts: shared by matching and walking. */
#ifndef TAIL_GLOB_INT_H
#define TAIL_GLOB_INT_H

#include "glob.h"

typedef enum glob_part_kind { GLOB_LITERAL, GLOB_WILD, GLOB_ANY } glob_part_kind;

typedef struct glob_part {
    glob_part_kind kind;
    char *text; /* literal: without the backslashes */
} glob_part;

typedef struct glob {
    glob_part *parts; /* the names of an absolute path; the last one is never GLOB_ANY */
    size_t count;
} glob;

struct tail_globs {
    glob *items;
    size_t count;
    bool hidden; /* `*` and `**` match names that start with `.` too */
};

bool tail_glob_match_name(const glob_part *part, sl_span name, bool hidden);

#endif
