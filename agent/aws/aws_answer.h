/* aws_answer.h: credentials in the answers of metadata services (JSON) and of STS (XML), and what refusals say.
 *
 * Nothing in an answer is trusted: it may be any bytes, of SL_AWS_MAX_ANSWER at most. Errors quote only what an
 * answer says as its message, printable and cut, never a value that may be a key.
 */
#ifndef SLUICE_AWS_ANSWER_H
#define SLUICE_AWS_ANSWER_H

#include "aws_keys.h"
#include <sluice/json.h>

/* A JSON object whose members are asked for by name. */
typedef struct sl_aws_json {
    sl_span text;
    sl_tape tape;
    uint32_t object; /* token */
} sl_aws_json;

/* SL_E_SYNTAX: no JSON object, or, unless `inside` is NULL, none in its member of that name. text must live as
 * long. */
int sl_aws_json_open(sl_aws_json *json, sl_span text, const char *inside, sl_err *err);
void sl_aws_json_release(sl_aws_json *json);
/* Appends the first member of that name, a string decoded, a number as it is written. False: there is none, or it
 * is of another type. */
bool sl_aws_json_get(const sl_aws_json *json, const char *name, sl_buf *out);

/* How a service spells the members. */
typedef struct sl_aws_spelling {
    const char *inside; /* member that holds the others, or NULL */
    const char *id, *secret, *token, *expires;
} sl_aws_spelling;

/* Sets keys from an answer in JSON: id and secret must be there; the time is RFC 3339 or ms since 1970. */
int sl_aws_answer_json(sl_span body, const sl_aws_spelling *spelling, const char *source, sl_aws_keys *keys,
                       sl_err *err);
/* Sets keys from STS's AssumeRoleResponse and its like. Source: AWS STS API Reference, "Credentials". */
int sl_aws_answer_sts(sl_span body, const char *source, sl_aws_keys *keys, sl_err *err);

/* The text of the first element of that name without attributes; empty: none, or it is not closed. */
sl_span sl_aws_xml_text(sl_span body, const char *element);

/* What is wrong with an answer, in a sentence: no answer, or a status that is not 200 with the service's own
 * message. url: as to be shown. 0 when it is right. */
int sl_aws_answer_check(const sl_answer *answer, sl_span url, sl_err *err);

#endif
