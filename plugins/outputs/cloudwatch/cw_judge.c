/* cw_judge.c: what an answer means for the records that were sent.
 *
 * The service's errors have names (API reference, "Errors" of PutLogEvents, and "Common errors"), most of them
 * under status 400, so that the status says little. A name that is not known here is judged by its status.
 */
#include "cw_int.h"
#include <stdio.h>

typedef enum meaning {
    TAKEN,    /* it has it already */
    BUSY,     /* too many requests, or trouble of its own */
    MISSING,  /* no such group or stream */
    EXPIRED,  /* these credentials are not good any more */
    UNSIGNED, /* the signature is not right: our clock, or the key */
    DENIED,   /* people must allow it */
    INVALID,  /* something in the request */
} meaning;

static const struct {
    const char *type;
    meaning what;
} known[] = {
    {"DataAlreadyAcceptedException", TAKEN},
    {"ThrottlingException", BUSY},
    {"Throttling", BUSY},
    {"LimitExceededException", BUSY},
    {"RequestLimitExceeded", BUSY},
    {"TooManyRequestsException", BUSY},
    {"ServiceQuotaExceededException", BUSY},
    {"ServiceUnavailableException", BUSY},
    {"ServiceUnavailable", BUSY},
    {"InternalFailure", BUSY},
    {"InternalServerError", BUSY},
    {"RequestTimeoutException", BUSY},
    {"RequestAbortedException", BUSY},
    {"ResourceNotFoundException", MISSING},
    {"ExpiredTokenException", EXPIRED},
    {"ExpiredToken", EXPIRED},
    {"UnrecognizedClientException", EXPIRED},
    {"InvalidClientTokenId", EXPIRED},
    {"InvalidAccessKeyId", EXPIRED},
    {"InvalidSignatureException", UNSIGNED},
    {"SignatureDoesNotMatch", UNSIGNED},
    {"IncompleteSignature", UNSIGNED},
    {"RequestExpired", UNSIGNED},
    {"RequestTimeTooSkewed", UNSIGNED},
    {"AccessDeniedException", DENIED},
    {"AccessDenied", DENIED},
    {"NotAuthorized", DENIED},
    {"OptInRequired", DENIED},
    {"InvalidParameterException", INVALID},
    {"ValidationException", INVALID},
    {"ValidationError", INVALID},
    {"SerializationException", INVALID},
};

/* ---- taken ---- */

static const char *why_rejected(const cw_rejected *rejected, uint32_t i)
{
    if (i < rejected->expired_end) return "expired: it is older than the group's retention";
    if (i < rejected->old_end)
        return "too old: its time is more than 14 days ago, or before the group's retention";
    return i >= rejected->new_start ? "too new: its time is more than 2 hours ahead" : NULL;
}

static void judge_taken(cw_output *cw, const sl_answer *answer, sl_verdict *verdict)
{
    cw_rejected rejected;
    const char *wrong = cw_rejected_read(answer->body, &cw->tape, verdict->count, &rejected);
    if (wrong) {
        sl_verdict_set(verdict, SL_VERDICT_RETRY,
                       "status %d from " SL_SPAN_FMT ", but no answer of CloudWatch Logs: %s", answer->status,
                       SL_SPAN_ARG(answer->url), wrong);
        return;
    }
    uint32_t count = 0;
    for (uint32_t i = 0; i < verdict->count; i++) {
        const char *why = why_rejected(&rejected, i);
        if (!why) continue;
        sl_verdict_set_record(verdict, i, SL_VERDICT_REJECT, sl_span_of(why));
        count++;
    }
    if (count)
        snprintf(verdict->reason, sizeof verdict->reason, "%u of %u events rejected for their time", count,
                 verdict->count);
}

/* ---- refused ---- */

static void set_retry(sl_verdict *verdict, sl_retry_cause cause, const sl_answer *answer,
                      const cw_error *error, const char *advice)
{
    sl_verdict_set(verdict, SL_VERDICT_RETRY, "%s from " SL_SPAN_FMT "%s", error->type,
                   SL_SPAN_ARG(answer->url), advice);
    verdict->cause = cause;
}

static bool mentions(const cw_error *error, sl_span what)
{
    return sl_span_find(error->message, what, 0) < error->message.len;
}

static void judge_missing(cw_output *cw, const sl_request *req, const sl_answer *answer,
                          const cw_error *error, sl_verdict *verdict)
{
    const cw_create_conf *create = &cw->conf->create;
    bool group = mentions(error, SL_SPAN("log group"));
    const char *what = group ? "group" : "stream";
    if (group ? create->group : create->stream) {
        set_retry(verdict, SL_CAUSE_PARTITION, answer, error, ": it is created");
        cw_create(cw, req->partition, group);
        return;
    }
    sl_verdict_set(verdict, cw->conf->missing == CW_MISSING_REJECT ? SL_VERDICT_REJECT : SL_VERDICT_RETRY,
                   "%s from " SL_SPAN_FMT ": the %s is missing, and `create.%s` is off", error->type,
                   SL_SPAN_ARG(answer->url), what, what);
    verdict->cause = SL_CAUSE_PARTITION;
}

static void judge_unsigned(cw_output *cw, const sl_answer *answer, const cw_error *error, sl_verdict *verdict)
{
    if (cw_correct_clock(cw, answer)) {
        set_retry(verdict, SL_CAUSE_CALLER, answer, error,
                  ": this machine's clock is wrong, the service's is used");
        return;
    }
    sl_aws_expired(cw->aws);
    set_retry(verdict, SL_CAUSE_CALLER, answer, error, ": check the secret key");
}

/* The name of a place was checked before: should the service not like it all the same, halving finds nothing.
 * Else one event may be the cause: it is found by halves. */
static void judge_invalid(const sl_request *req, const sl_answer *answer, const cw_error *error,
                          sl_verdict *verdict)
{
    bool place = mentions(error, SL_SPAN("logGroupName")) || mentions(error, SL_SPAN("logStreamName"));
    sl_verdict_kind kind = req->count > 1 && !place ? SL_VERDICT_SPLIT : SL_VERDICT_REJECT;
    sl_verdict_set(verdict, kind, "%s from " SL_SPAN_FMT "%s", error->type, SL_SPAN_ARG(answer->url),
                   place ? ": the name of the group or stream is not taken" : "");
}

static bool find_meaning(const cw_error *error, meaning *out)
{
    for (size_t i = 0; i < SL_LEN(known); i++) {
        if (strcmp(known[i].type, error->type) != 0) continue;
        *out = known[i].what;
        return true;
    }
    return false;
}

static void judge_error(cw_output *cw, const sl_request *req, const sl_answer *answer, sl_verdict *verdict)
{
    cw_error error;
    cw_error_read(answer->body, &cw->tape, &error);
    meaning what;
    if (!find_meaning(&error, &what)) return;
    switch (what) {
    case TAKEN: sl_verdict_set(verdict, SL_VERDICT_DELIVERED, "%s", ""); break;
    case BUSY: set_retry(verdict, SL_CAUSE_PRESSURE, answer, &error, ""); break;
    case MISSING: judge_missing(cw, req, answer, &error, verdict); break;
    case EXPIRED:
        sl_aws_expired(cw->aws);
        set_retry(verdict, SL_CAUSE_CALLER, answer, &error, ": credentials are asked for again");
        break;
    case UNSIGNED: judge_unsigned(cw, answer, &error, verdict); break;
    case DENIED:
        set_retry(verdict, SL_CAUSE_PARTITION, answer, &error,
                  ": these credentials may not do logs:PutLogEvents there");
        break;
    case INVALID: judge_invalid(req, answer, &error, verdict); break;
    }
}

void cw_judge(void *self, const sl_request *req, const sl_answer *answer, sl_verdict *verdict)
{
    if (answer->transport != SL_TRANSPORT_OK) return;
    if (verdict->kind == SL_VERDICT_DELIVERED)
        judge_taken(self, answer, verdict);
    else
        judge_error(self, req, answer, verdict);
}
