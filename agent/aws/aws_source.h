/* aws_source.h: the ways to get credentials, as steps: a source says what it has, or which request would tell.
 *
 * A source neither sends nor waits: aws_provider.c does. Source and answers can so be tried by themselves, and
 * everything that comes from outside passes through step().
 */
#ifndef SLUICE_AWS_SOURCE_H
#define SLUICE_AWS_SOURCE_H

#include "aws_keys.h"

/* What a source is asked with, and what it leaves behind. Zeroed but for the first part at its first step. */
typedef struct sl_aws_ask {
    const sl_aws_conf *conf;
    sl_aws_keys keys; /* step() returned 0: the credentials */
} sl_aws_ask;

typedef struct sl_aws_source {
    const char *name; /* for the log and errors */
    /* The next step.
     * 0: ask->keys are there. SL_E_NOT_FOUND: nothing is set up for this source here; err says what is
     * missing, and the next source is asked. Any other error: it is set up, but gave none; that is the end,
     * since falling back to somebody else's credentials would surprise. */
    int (*step)(sl_aws_ask *ask, sl_err *err);
} sl_aws_source;

/* In the order of SL_AWS_*, without AUTO. */
extern const sl_aws_source *const sl_aws_sources[];
#define SL_AWS_SOURCES 2

extern const sl_aws_source sl_aws_source_options;
extern const sl_aws_source sl_aws_source_environment;

/* The value of a variable of the environment; empty when it is not set. */
sl_span sl_aws_env(const char *name);
/* The region from the configuration or the environment; empty: not known. */
sl_span sl_aws_known_region(const sl_aws_conf *conf);

#endif
