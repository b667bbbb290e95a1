/* redact_run.h: the redact filter without the agent: options in YAML, one JSON text in, one out. */
#ifndef SLUICE_REDACT_RUN_H
#define SLUICE_REDACT_RUN_H

#include <sluice/base.h>

typedef struct redact_run redact_run;

/* options: a YAML map as it would stand behind `redact:`. NULL with *error (static storage) when the options
 * or the filter's own check refuse it. */
redact_run *redact_run_new(const char *options, const char **error);
void redact_run_free(redact_run *run);
/* The text, which must be valid JSON, after the filter. *changed: whether anything was. Valid until the next
 * call. */
sl_span redact_run_text(redact_run *run, sl_span json, bool *changed);
/* How often a rule changed something since the start: "email", "key:password", "pattern:order"; UINT64_MAX:
 * no such. */
uint64_t redact_run_count(const redact_run *run, const char *label);

/* The text with every string and key spelled in one way and no space: texts that mean the same become the
 * same. Numbers stay as they are. False when it is no valid JSON. */
bool sl_test_json_normal(sl_span json, sl_buf *out);

#endif
