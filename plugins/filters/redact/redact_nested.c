/* redact_nested.c: JSON that was written into a string, alone (`"body":"{\"password\":…}"`) or with text
 * around it, or as a string once more (`"body":"\"{…}\""`). It is read as what it is, so that keys, nesting
 * and spellings count in it as they do outside.
 *
 * Only attempts cost: the scanner runs over the rest of the string at each. They are few a string, and what
 * is left over is still text that the detectors see. Deeper than REDACT_MAX_NESTED nobody writes; it is
 * replaced unread.
 */
#include "redact_int.h"

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* The next bracket at or after `at` that what follows it could belong to. */
static size_t find_open(sl_span text, size_t at)
{
    for (; at < text.len; at++) {
        char c = text.ptr[at];
        if (c != '{' && c != '[') continue;
        size_t next = at + 1;
        while (next < text.len && is_space(text.ptr[next]))
            next++;
        char first = char_at(text, next);
        if (first == '"' || (first && strchr(c == '{' ? "}" : "{[]-0123456789tfn", first))) return at;
    }
    return text.len;
}

/* The tokens of the JSON that text begins with, into the tape. Returns its length, 0 when there is none. */
static size_t index_front(redact *r, sl_tape *tape, sl_span text)
{
    tape->len = 0;
    sl_json_result result = sl_json_index(tape, text);
    if (result.error == SL_JSON_TRAILING) result = sl_json_index(tape, (sl_span){text.ptr, result.at});
    if (result.error == SL_JSON_NO_MEMORY) r->failed = true;
    return result.error == SL_JSON_OK ? tape->tok[0].len : 0;
}

/* Whether the whole text is one string of JSON with escapes in it; then its token is in the tape. */
static bool is_string(redact *r, sl_tape *tape, sl_span text)
{
    if (text.len < 4 || text.ptr[0] != '"' || text.ptr[text.len - 1] != '"') return false;
    if (!memchr(text.ptr, '\\', text.len)) return false;
    tape->len = 0;
    sl_json_result result = sl_json_index(tape, text);
    if (result.error == SL_JSON_NO_MEMORY) r->failed = true;
    return result.error == SL_JSON_OK;
}

static void redact_slice(redact *r, unsigned depth, sl_span slice, uint32_t start)
{
    redact_level *level = redact__level(r, depth);

    if (depth == REDACT_MAX_NESTED) {
        r->counts[REDACT_NESTED]++;
        sl_span with = r->rules->rule[REDACT_NESTED].action.with;
        redact__add_edit(r, &level->inner, (redact_edit){start, (uint32_t)slice.len, with, false});
        return;
    }
    redact_level *below = redact__level(r, depth + 1);
    redact__walk(r, depth + 1, slice, below->tape.tok, below->tape.len);
    for (uint32_t i = 0; i < below->edits.count; i++) {
        redact_edit edit = below->edits.items[i];
        edit.off += start;
        edit.removal = false; /* it took a member out, not the string */
        redact__add_edit(r, &level->inner, edit);
    }
}

void redact__nested(redact *r, unsigned depth, sl_span plain, redact_slices *slices)
{
    sl_tape deepest = {0};
    sl_tape *tape = depth < REDACT_MAX_NESTED ? &redact__level(r, depth + 1)->tape : &deepest;
    size_t at = 0;

    if (!memchr(plain.ptr, '"', plain.len)) return; /* neither keys nor strings */
    if (is_string(r, tape, plain)) {
        slices->at[slices->count].start = 0;
        slices->at[slices->count++].end = (uint32_t)plain.len;
        redact_slice(r, depth, plain, 0);
        at = plain.len;
    }
    for (unsigned attempts = 0; attempts < REDACT_MAX_SLICES && !r->failed; attempts++) {
        at = find_open(plain, at);
        if (at == plain.len) break;
        size_t len = index_front(r, tape, (sl_span){plain.ptr + at, plain.len - at});
        if (len > 0 && memchr(plain.ptr + at, '"', len)) {
            slices->at[slices->count].start = (uint32_t)at;
            slices->at[slices->count++].end = (uint32_t)(at + len);
            redact_slice(r, depth, (sl_span){plain.ptr + at, len}, (uint32_t)at);
        }
        at += len ? len : 1;
    }
    sl_tape_release(&deepest);
}
