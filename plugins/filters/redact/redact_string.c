/* redact_string.c: the edits of one plain text: those of JSON written into it, and those of hits.
 *
 * What an edit leaves behind could be a secret again (take the middle out of a text and its ends meet). So at
 * the top the edited text is looked at once more, until nothing would change. Only then is the second pass of
 * the same rules over the same record sure to change nothing.
 */
#include "redact_int.h"

void redact__add_edit(redact *r, redact_edits *edits, redact_edit edit)
{
    if (edits->count == edits->cap) {
        uint32_t cap = edits->cap ? 2 * edits->cap : 16;
        redact_edit *items =
            cap > edits->cap ? sl_try_realloc(edits->items, (size_t)cap * sizeof *items) : NULL;
        if (!items) {
            r->failed = true;
            return;
        }
        edits->items = items;
        edits->cap = cap;
    }
    edits->items[edits->count++] = edit;
}

int redact_edits_apply(const redact_edits *edits, sl_span text, sl_buf *out)
{
    size_t len = text.len, at = 0;

    for (uint32_t i = 0; i < edits->count; i++)
        len += edits->items[i].with.len;
    if (sl_buf_try_reserve(out, len) != 0) return SL_E_NOMEM;
    for (uint32_t i = 0; i < edits->count; i++) {
        const redact_edit *edit = &edits->items[i];
        sl_buf_append(out, text.ptr + at, edit->off - at);
        sl_buf_append_span(out, edit->with);
        at = (size_t)edit->off + edit->len;
    }
    sl_buf_append(out, text.ptr + at, text.len - at);
    return 0;
}

bool redact__mark(redact *r, sl_span text, redact_bits *bits)
{
    size_t words = redact_marks_size(text.len);

    if (r->rules->detect == 0) return false;
    if (words > bits->cap) {
        sl_free(bits->words);
        bits->words = sl_try_alloc(words * sizeof *bits->words);
        bits->cap = bits->words ? words : 0;
        if (!bits->words) {
            r->failed = true;
            return false;
        }
    }
    return redact_marks(text.ptr, text.len, r->rules->detect, bits->words);
}

sl_span redact__decode(redact *r, sl_span spelling, sl_buf *buf)
{
    sl_buf_clear(buf);
    if (sl_buf_try_reserve(buf, spelling.len + 1) != 0) {
        r->failed = true;
        return SL_SPAN("");
    }
    buf->len = sl_json_unescape(spelling, buf->ptr);
    return sl_buf_span(buf);
}

/* ---- hits and slices --------------------------------------------------------------------------- */

/* Hits inside a slice are left to it: it was read, they were guessed. One that reaches beyond takes all of
 * it. */
static void settle_with_slices(redact_hits *hits, const redact_slices *slices)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < hits->count; i++) {
        redact_hit hit = hits->items[i];
        bool inside = false;
        for (uint32_t s = 0; s < slices->count; s++) {
            uint32_t start = slices->at[s].start, end = slices->at[s].end;
            if (hit.end <= start || hit.start >= end) continue;
            inside = hit.start >= start && hit.end <= end && !(hit.start == start && hit.end == end);
            if (hit.start > start) hit.start = start;
            if (hit.end < end) hit.end = end;
        }
        if (!inside) hits->items[kept++] = hit;
    }
    hits->count = kept;
    redact__join_hits(hits);
}

static void edit_hit(redact *r, redact_level *level, sl_span plain, const redact_hit *hit)
{
    sl_span secret = {plain.ptr + hit->start, hit->end - hit->start};
    const redact_action *action = &r->rules->rule[hit->rule].action;

    if (r->rules->hashes && redact_is_in_hash(plain, hit->start)) return;
    sl_span with = redact__stand_in(r, action, secret);
    if (sl_span_is(with, secret)) return;
    r->counts[hit->rule]++;
    bool removal = action->verb == REDACT_REMOVE;
    redact__add_edit(r, &level->changes, (redact_edit){hit->start, (uint32_t)secret.len, with, removal});
}

/* Both lists are sorted; inner edits that a hit covers are dropped. */
static void merge(redact *r, redact_level *level, sl_span plain)
{
    uint32_t i = 0;

    level->changes.count = 0;
    for (uint32_t h = 0; h < level->hits.count; h++) {
        const redact_hit *hit = &level->hits.items[h];
        for (; i < level->inner.count && level->inner.items[i].off < hit->start; i++)
            redact__add_edit(r, &level->changes, level->inner.items[i]);
        while (i < level->inner.count && level->inner.items[i].off < hit->end)
            i++;
        edit_hit(r, level, plain, hit);
    }
    for (; i < level->inner.count; i++)
        redact__add_edit(r, &level->changes, level->inner.items[i]);
}

static void find_changes(redact *r, unsigned depth, sl_span plain, const uint64_t *marks, size_t base,
                         bool nested)
{
    redact_level *level = redact__level(r, depth);
    redact_slices slices = {.count = 0};

    level->inner.count = 0;
    if (nested) redact__nested(r, depth, plain, &slices);
    redact__detect(r, depth, plain, marks, base);
    if (slices.count > 0) settle_with_slices(&level->hits, &slices);
    merge(r, level, plain);
}

/* ---- until nothing changes --------------------------------------------------------------------- */

static void change_whole(redact *r, redact_level *level, sl_span plain, sl_span with, bool removal)
{
    char *copy = sl_arena_try_alloc(&r->arena, with.len ? with.len : 1);

    level->changes.count = 0;
    if (sl_span_is(plain, with)) return;
    if (!copy) {
        r->failed = true;
        return;
    }
    if (with.len) memcpy(copy, with.ptr, with.len);
    redact__add_edit(r, &level->changes, (redact_edit){0, (uint32_t)plain.len, {copy, with.len}, removal});
}

static bool takes_all(const redact_edits *changes, sl_span plain)
{
    return changes->count == 1 && changes->items[0].removal && changes->items[0].len == plain.len;
}

/* The changes found are the first round's. Does the second find none, they stand; else the text of the last
 * round takes the place of the whole. */
static void settle(redact *r, redact_level *level, sl_span plain, bool nested)
{
    sl_span before = plain;

    for (unsigned round = 0; round < REDACT_MAX_ROUNDS && !r->failed; round++) {
        sl_buf *buf = &r->rounds[round % 2];
        sl_buf_clear(buf);
        if (redact_edits_apply(&level->changes, before, buf) != 0) {
            r->failed = true;
            return;
        }
        sl_span after = sl_buf_span(buf);
        if (round == 0) {
            redact_edits swap = level->first;
            level->first = level->changes;
            level->changes = swap;
        }
        bool marked = redact__mark(r, after, &level->in_plain);
        if (r->failed) return;
        level->changes.count = 0;
        if (marked || nested || r->rules->pattern_count > 0)
            find_changes(r, 0, after, level->in_plain.words, 0, nested);
        if (level->changes.count == 0 && round == 0) {
            redact_edits swap = level->first;
            level->first = level->changes;
            level->changes = swap;
            return;
        }
        if (level->changes.count == 0) {
            change_whole(r, level, plain, after, false);
            return;
        }
        if (takes_all(&level->changes, after)) {
            change_whole(r, level, plain, SL_SPAN(""), true);
            return;
        }
        before = after;
    }
    change_whole(r, level, plain, r->rules->rule[REDACT_NESTED].action.with, false);
}

void redact__string(redact *r, unsigned depth, sl_span plain, const uint64_t *marks, size_t base, bool nested)
{
    redact_level *level = redact__level(r, depth);

    find_changes(r, depth, plain, marks, base, nested);
    if (depth == 0 && level->changes.count > 0 && !takes_all(&level->changes, plain))
        settle(r, level, plain, nested);
}
