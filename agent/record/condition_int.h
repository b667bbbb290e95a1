/* condition_int.h: a condition as a tree, between its parser and its evaluation. */
#ifndef SLUICE_CONDITION_INT_H
#define SLUICE_CONDITION_INT_H

#include "number.h"
#include "record_int.h"

#include <sluice/option.h>

#define SL_CONDITION_MAX_TEXT  (16u * 1024)
#define SL_CONDITION_MAX_DEPTH 64 /* brackets and `not` inside each other */

typedef enum sl_cond_op {
    SL_COND_TRUE,
    SL_COND_FALSE,
    SL_COND_AND, /* of `kids` */
    SL_COND_OR,  /* of `kids` */
    SL_COND_NOT, /* of the one kid */
    SL_COND_EXISTS,
    SL_COND_EQ,
    SL_COND_NE,
    SL_COND_LT,
    SL_COND_LE,
    SL_COND_GT,
    SL_COND_GE,
    SL_COND_IN,
    SL_COND_MATCH,
    SL_COND_CONTAINS,
    SL_COND_STARTSWITH,
    SL_COND_ENDSWITH,
} sl_cond_op;

typedef struct sl_literal {
    sl_json_type type;
    sl_span text; /* strings: decoded; numbers: as spelled; in the arena */
    sl_number number;
} sl_literal;

typedef struct sl_cond_node {
    sl_cond_op op;
    sl_path *path;              /* comparisons and exists(): owned */
    sl_regex *regex;            /* MATCH: owned */
    const sl_literal *literals; /* IN: count of them; other comparisons: one */
    uint32_t count;
    struct sl_cond_node *kids;    /* first one */
    struct sl_cond_node *sibling; /* next kid of the same parent */
    struct sl_cond_node *made;    /* made before this one: for freeing */
} sl_cond_node;

/* ---- the parser's place in the text (condition_text.c) ---- */

typedef struct sl_cond_text {
    sl_span text;
    size_t at;
    sl_err *err;
} sl_cond_text;

/* Sets the error, with the column of `at`. Returns false. */
bool sl_cond__fail(sl_cond_text *in, size_t at, const char *fmt, ...) SL_PRINTF(3, 4);
void sl_cond__skip_space(sl_cond_text *in);
char sl_cond__peek(const sl_cond_text *in); /* NUL at the end */
/* The run of bytes here that a plain name may have. */
sl_span sl_cond__word_here(const sl_cond_text *in);
/* Takes the word, and space behind it, if it stands here by itself: `in` of `in [`, not of `in.x` or `index`.
 */
bool sl_cond__take_word(sl_cond_text *in, const char *word);
bool sl_cond__take_sign(sl_cond_text *in, const char *sign);
/* What to write instead of what stands here, when it is from another language; or NULL. */
const char *sl_cond__hint_here(const sl_cond_text *in);

struct sl_condition {
    sl_arena arena;
    sl_cond_node *root;
    sl_cond_node *made; /* the newest node */
};

#endif
