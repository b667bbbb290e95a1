/* aws_source.h: the ways to get credentials, as steps: a source says what it has, or which request would tell.
 *
 * A source neither sends nor waits: aws_search.c does, for all of them. So a source and what it makes of an
 * answer can be tried by themselves. Small files are read within a step.
 */
#ifndef SLUICE_AWS_SOURCE_H
#define SLUICE_AWS_SOURCE_H

#include "aws_keys.h"

#define SL_AWS_MAX_ANSWER (64u * 1024) /* bytes of an answer, or of a file with a token */
#define SL_AWS_MAX_ROLES  5            /* taken on one after another */

struct sl_aws_source;

/* A request that would tell more. */
typedef struct sl_aws_want {
    const char *method;
    sl_span url, path;      /* in the arena, or static */
    sl_aws_headers headers; /* wiped afterwards */
    sl_buf body;            /* a form; wiped afterwards */
    bool local;             /* asks the machine or container itself: no proxy, little patience */
} sl_aws_want;

/* A role to take on with the credentials that were found. */
typedef struct sl_aws_role {
    sl_span arn, external_id, session_name; /* the latter two may be empty */
    int64_t duration_ns;                    /* 0: as long as AWS gives by itself */
} sl_aws_role;

/* One search: what a step knows and what it leaves. */
typedef struct sl_aws_ask {
    const sl_aws_conf *conf;
    sl_span region;          /* empty: not known */
    int64_t now_ns;          /* wall clock */
    sl_arena arena;          /* of the search; no secrets */
    const sl_answer *answer; /* to `want`, transport OK and status 200; NULL at the first step */
    unsigned step;           /* the source's own: 0 at first */
    sl_buf kept;             /* the source's own, such as a token for its next step; wiped afterwards */
    const struct sl_aws_source *delegate; /* who goes on with the next step; NULL: the source itself */
    sl_aws_want want;
    sl_aws_keys keys;
    sl_aws_role roles[SL_AWS_MAX_ROLES]; /* to be taken on with `keys`, the first one first */
    size_t role_count;
} sl_aws_ask;

typedef struct sl_aws_source {
    const char *name; /* for the log and errors */
    /* The next step.
     * 0: ask->keys are there (of a source of the region: ask->region).
     * SL_E_AGAIN: ask->want is to be sent; its answer comes with the next step.
     * SL_E_NOT_FOUND: nothing is set up for this source here; err says what is missing, and the next source is
     * asked. Any other error: it is set up but gave none, and that is the end of the search: to go on with
     * somebody else's credentials would surprise. */
    int (*step)(sl_aws_ask *ask, sl_err *err);
} sl_aws_source;

extern const sl_aws_source sl_aws_source_options;
extern const sl_aws_source sl_aws_source_environment;
extern const sl_aws_source sl_aws_source_profile;
extern const sl_aws_source sl_aws_source_web_identity;
extern const sl_aws_source sl_aws_source_container;
extern const sl_aws_source sl_aws_source_imds;
/* No source of its own: asks for ask->roles[0] with ask->keys, and replaces both. */
extern const sl_aws_source sl_aws_role_source;
/* Of the region alone. */
extern const sl_aws_source sl_aws_region_source;
extern const sl_aws_source sl_aws_imds_region_source;

/* ---- shared by sources ---- */

/* The value of a variable of the environment, trimmed; empty when it is not set. */
sl_span sl_aws_env(const char *name);
/* A file that holds nothing but a token, read anew at each call, trimmed, into `out` (emptied, wiped before).
 * 0, or an error that names the path. */
int sl_aws_token_file(const char *path, sl_buf *out, sl_err *err);
/* Forgets what want holds. */
void sl_aws_want_clear(sl_aws_want *want);
/* Its one header; the value is copied. */
void sl_aws_want_header(sl_aws_want *want, const char *name, sl_span value);
/* A span of the arena, NUL-terminated. */
sl_span sl_aws_ask_text(sl_aws_ask *ask, const char *fmt, ...) SL_PRINTF(2, 3);
/* Appends a role; SL_E_LIMIT beyond SL_AWS_MAX_ROLES. */
int sl_aws_ask_role(sl_aws_ask *ask, const sl_aws_role *role, sl_err *err);
/* Frees and wipes everything but conf. */
void sl_aws_ask_release(sl_aws_ask *ask);

/* Web identity with a token file that a profile or the environment names: the first step; then the delegate goes
 * on. */
int sl_aws_web_identity_begin(sl_aws_ask *ask, const char *token_file, const sl_aws_role *role, sl_err *err);

#endif
