/* splice.c: pending edits of a record.
 *
 * A record's splices are a list, disjoint and sorted by offset, the last one first: steps edit from front to
 * back, so a new splice nearly always belongs in front of the list, at the same cost however many there are.
 * They are applied from the end of the text to its start.
 *
 * Two removals that touch are kept as one. Taking out the last member of an object relies on that: if the
 * members before it are gone too, their commas are in one splice that ends where it begins.
 */
#include "record_int.h"

static uint32_t end_of(const sl_splice *s)
{
    return s->off + s->len;
}

uint64_t sl_record__spliced_len(const sl_record *rec)
{
    uint64_t len = rec->len;
    for (const sl_splice *s = rec->splices; s; s = s->next)
        len = len - s->len + s->with.len;
    return len;
}

static char *put_before(char *end, const char *from, size_t len)
{
    if (len) memcpy(end - len, from, len);
    return end - len;
}

void sl_record__apply_splices(const sl_record *rec, char *out, size_t len)
{
    char *end = out + len;
    uint32_t at = rec->len;
    for (const sl_splice *s = rec->splices; s; s = s->next) {
        end = put_before(end, rec->text + end_of(s), at - end_of(s));
        end = put_before(end, s->with.ptr, s->with.len);
        at = s->off;
    }
    end = put_before(end, rec->text, at);
    sl_assert(end == out);
}

/* How the range [off, end) lies to an earlier splice. An insertion at the edge of a range lies outside of it,
 * and behind an insertion at the same place. */
typedef enum place { AHEAD, INSIDE, COVERS, BEHIND } place;

static place place_of(uint32_t off, uint32_t end, const sl_splice *s)
{
    if (off >= end_of(s)) return BEHIND;
    if (end <= s->off) return AHEAD;
    if (off <= s->off && end >= end_of(s)) return COVERS;
    sl_assert(off >= s->off && end <= end_of(s)); /* crossing an edge */
    return INSIDE;
}

void sl_record_splice(sl_batch *batch, sl_record *rec, uint32_t off, uint32_t len, sl_span with)
{
    sl_assert(!batch->sealed && !(rec->flags & SL_RECORD_RAW));
    sl_assert(off <= rec->len && len <= rec->len - off);
    sl_splice **link = &rec->splices, *s;
    while ((s = *link) != NULL) {
        place at = place_of(off, off + len, s);
        if (at == INSIDE) return;
        if (at == BEHIND) break;
        if (at == COVERS)
            *link = s->next;
        else
            link = &s->next;
    }
    bool removal = len > 0 && with.len == 0;
    if (s && removal && s->with.len == 0 && s->len > 0 && end_of(s) == off) {
        s->len += len;
        return;
    }
    sl_splice *fresh = sl_arena_alloc(&batch->arena, sizeof(*fresh));
    *fresh = (sl_splice){.off = off, .len = len, .with = with, .next = s};
    *link = fresh;
}

int sl_record_flush(sl_batch *batch, sl_record *rec)
{
    if (!rec->splices) return 0;
    uint64_t len = sl_record__spliced_len(rec);
    char *text = len <= SL_MAX_RECORD_GROWN ? sl_arena_try_alloc(&batch->arena, len ? len : 1) : NULL;
    if (!text) return SL_E_NOMEM;
    sl_record__apply_splices(rec, text, len);
    rec->text = text;
    rec->len = (uint32_t)len;
    rec->splices = NULL;
    rec->flags &= (uint16_t)~SL_RECORD_INDEXED;
    return 0;
}

/* ---- taking members out ---- */

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* The splice that replaces byte `at`, or NULL. */
static const sl_splice *splice_over(const sl_record *rec, uint32_t at)
{
    const sl_splice *s = rec->splices;
    while (s && s->off > at)
        s = s->next;
    return s && at < end_of(s) ? s : NULL;
}

/* Where the removal of a last member begins: at the comma before it, or, when the members before it are taken
 * out already (each with the comma behind it), at the comma before those, or behind the bracket. */
static uint32_t start_with_comma(const sl_record *rec, uint32_t start)
{
    uint32_t at = start;
    for (;;) {
        while (is_space(rec->text[at - 1]))
            at--;
        if (rec->text[at - 1] != ',')
            return start; /* the bracket: `start` begins the first member that is left */
        const sl_splice *s = splice_over(rec, at - 1);
        if (!s) return at - 1;
        start = at = s->off;
    }
}

/* A member goes with the comma behind it; the last one (also when those behind it are gone) with the comma
 * before it. */
void sl_record_remove_token(sl_batch *batch, sl_record *rec, const sl_token *tok, uint32_t value)
{
    sl_assert(value > 0);
    bool member = tok[value - 1].flags & SL_TOKEN_KEY;
    uint32_t start = sl_token__start(&tok[member ? value - 1 : value]);
    uint32_t end = sl_token__end(&tok[value]);
    uint32_t next = end;
    while (is_space(rec->text[next]))
        next++;
    if (rec->text[next] == ',' && !splice_over(rec, next)) {
        next++;
        while (is_space(rec->text[next]))
            next++;
        end = next;
    } else {
        start = start_with_comma(rec, start);
    }
    sl_record_splice(batch, rec, start, end - start, SL_SPAN_NONE);
}
