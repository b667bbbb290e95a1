/* verdict.c: transport error and status to verdict, as a table; and how plugins write verdicts of their own.
 */
#include "verdict.h"
#include <stdio.h>

_Static_assert(SL_VERDICT_DELIVERED == 0, "a zeroed record verdict is DELIVERED");

/* ---- writing ---- */

void sl_verdict_set(sl_verdict *verdict, sl_verdict_kind kind, const char *fmt, ...)
{
    verdict->kind = kind;
    va_list args;
    va_start(args, fmt);
    vsnprintf(verdict->reason, sizeof verdict->reason, fmt, args);
    va_end(args);
}

/* Hundreds of records are often refused in the same words: these are kept once. */
static sl_span keep_reason(sl_verdict *verdict, uint32_t i, sl_span reason)
{
    if (reason.len > SL_REASON_MAX) reason.len = SL_REASON_MAX;
    if (i > 0 && sl_span_is(verdict->each[i - 1].reason, reason)) return verdict->each[i - 1].reason;
    return sl_arena_dup(verdict->arena, reason);
}

void sl_verdict_set_record(sl_verdict *verdict, uint32_t i, sl_verdict_kind kind, sl_span reason)
{
    sl_assert(i < verdict->count);
    sl_assert(kind == SL_VERDICT_DELIVERED || kind == SL_VERDICT_RETRY || kind == SL_VERDICT_REJECT);
    if (!verdict->each)
        verdict->each = sl_arena_zalloc(verdict->arena, verdict->count * sizeof *verdict->each);
    verdict->kind = SL_VERDICT_PARTIAL;
    verdict->each[i].kind = kind;
    verdict->each[i].reason = keep_reason(verdict, i, reason);
}

/* ---- by status ---- */

static const struct {
    int from, to;
    sl_verdict_kind kind;
} by_status[] = {
    {200, 299, SL_VERDICT_DELIVERED}, {400, 400, SL_VERDICT_REJECT}, {409, 409, SL_VERDICT_REJECT},
    {413, 413, SL_VERDICT_SPLIT},     {422, 422, SL_VERDICT_REJECT},
};

static sl_verdict_kind kind_of(int status)
{
    for (size_t i = 0; i < SL_LEN(by_status); i++) {
        if (status >= by_status[i].from && status <= by_status[i].to) return by_status[i].kind;
    }
    return SL_VERDICT_RETRY;
}

/* What a person can do about a status that is not the records' fault. */
static const char *advice(int status)
{
    switch (status) {
    case 401: return ": check `auth`";
    case 403: return ": these credentials may not do this";
    case 404:
    case 405: return ": check the path of `url`";
    case 407: return ": check `proxy`";
    default:
        return status >= 300 && status < 400
                   ? ": a redirect, which is not followed: put its target into `url`"
                   : "";
    }
}

static const char *transport_text(sl_transport_error transport)
{
    switch (transport) {
    case SL_TRANSPORT_RESOLVE: return "cannot resolve the name of";
    case SL_TRANSPORT_CONNECT: return "cannot connect to";
    case SL_TRANSPORT_TLS: return "no TLS with";
    case SL_TRANSPORT_TIMEOUT: return "no answer in time from";
    default: return "broken connection to";
    }
}

void sl_verdict_of(const sl_answer *answer, sl_verdict *verdict)
{
    verdict->retry_after_ns = answer->retry_after_ns;
    if (answer->transport != SL_TRANSPORT_OK) {
        sl_verdict_set(verdict, SL_VERDICT_RETRY, "%s " SL_SPAN_FMT ": %s", transport_text(answer->transport),
                       SL_SPAN_ARG(answer->url), answer->error ? answer->error : "no reason known");
        return;
    }
    sl_verdict_kind kind = kind_of(answer->status);
    if (kind == SL_VERDICT_DELIVERED)
        sl_verdict_set(verdict, kind, "%s", "");
    else
        sl_verdict_set(verdict, kind, "status %d from " SL_SPAN_FMT "%s", answer->status,
                       SL_SPAN_ARG(answer->url), advice(answer->status));
}

bool sl_answer_is_pressure(const sl_answer *answer)
{
    if (answer->transport != SL_TRANSPORT_OK) return true;
    return answer->status == 408 || answer->status == 429 || answer->status >= 500;
}

bool sl_answer_is_address_lost(const sl_answer *answer)
{
    return answer->transport != SL_TRANSPORT_OK || (answer->status >= 502 && answer->status <= 504);
}
