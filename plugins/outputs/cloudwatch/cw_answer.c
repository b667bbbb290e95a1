/* cw_answer.c: see the header. The AWS JSON 1.1 protocol names an error by `__type`, as "Name",
 * "namespace#Name" or "Name:URI" (https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html). */
#include "cw_answer.h"

static bool is_object(sl_span body, sl_tape *tape)
{
    tape->len = 0;
    return sl_json_index(tape, body).error == SL_JSON_OK && tape->tok[0].type == SL_JSON_OBJECT;
}

static sl_span text_of(sl_span body, const sl_token *tok)
{
    return (sl_span){body.ptr + tok->off, tok->len};
}

/* The last member of this name, or NULL. */
static const sl_token *member(sl_span body, const sl_token *tok, uint32_t object, const char *name)
{
    const sl_token *found = NULL;
    for (uint32_t k = object + 1; k < tok[object].next; k = tok[k + 1].next) {
        if (sl_span_is_cstr(text_of(body, &tok[k]), name)) found = &tok[k + 1];
    }
    return found;
}

/* ---- taken ---- */

/* A whole number of 0 or more, or nothing: what `*out` was stays. */
static const char *read_index(sl_span body, const sl_token *value, uint32_t count, uint32_t *out)
{
    if (!value || value->type == SL_JSON_NULL) return NULL;
    if (value->type != SL_JSON_NUMBER) return "an index of rejectedLogEventsInfo is no number";
    sl_span text = text_of(body, value);
    uint64_t number = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return "an index of rejectedLogEventsInfo is no whole number";
        if (number <= count) number = number * 10 + (unsigned)(text.ptr[i] - '0');
    }
    *out = number < count ? (uint32_t)number : count;
    return NULL;
}

const char *cw_rejected_read(sl_span body, sl_tape *tape, uint32_t count, cw_rejected *out)
{
    *out = (cw_rejected){.new_start = count};
    if (!is_object(body, tape)) return "it is no JSON object";
    const sl_token *info = member(body, tape->tok, 0, "rejectedLogEventsInfo");
    if (!info || info->type == SL_JSON_NULL) return NULL;
    if (info->type != SL_JSON_OBJECT) return "rejectedLogEventsInfo is no object";
    const struct {
        const char *name;
        uint32_t *index;
    } indices[] = {{"tooOldLogEventEndIndex", &out->old_end},
                   {"expiredLogEventEndIndex", &out->expired_end},
                   {"tooNewLogEventStartIndex", &out->new_start}};
    uint32_t at = (uint32_t)(info - tape->tok);
    for (size_t i = 0; i < SL_LEN(indices); i++) {
        const char *wrong =
            read_index(body, member(body, tape->tok, at, indices[i].name), count, indices[i].index);
        if (wrong) return wrong;
    }
    return NULL;
}

/* ---- refused ---- */

static bool is_letter_or_digit(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static void copy_type(sl_span text, cw_error *out)
{
    const char *hash = memchr(text.ptr, '#', text.len);
    if (hash) text = (sl_span){hash + 1, text.len - (size_t)(hash + 1 - text.ptr)};
    size_t len = 0;
    for (; len < text.len && len < CW_MAX_TYPE && is_letter_or_digit(text.ptr[len]); len++)
        out->type[len] = text.ptr[len];
    out->type[len] = '\0';
}

void cw_error_read(sl_span body, sl_tape *tape, cw_error *out)
{
    *out = (cw_error){{0}, SL_SPAN_NONE};
    if (!is_object(body, tape)) return;
    const sl_token *type = member(body, tape->tok, 0, "__type");
    if (type && type->type == SL_JSON_STRING && type->len) copy_type(text_of(body, type), out);
    const sl_token *message = member(body, tape->tok, 0, "message");
    if (!message) message = member(body, tape->tok, 0, "Message");
    if (message && message->type == SL_JSON_STRING) out->message = text_of(body, message);
}
