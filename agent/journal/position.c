/* position.c: from sequences to record numbers. Frames carry both, so a place inside a segment is found by
 * walking its headers, and nothing per frame is kept in memory. */
#include "journal_int.h"

/* Where the records of segment i end: at the next one's first, so that what damage took counts with the
 * segment it stood in. */
static uint64_t end_record(const sl_disk_journal *j, size_t i)
{
    uint64_t end = i + 1 < j->count ? j->segs[i + 1].first_record : j->cursors.next_record;
    return end > j->segs[i].first_record ? end : j->segs[i].first_record;
}

static void walk_to(const sl_disk_journal *j, const sl_segment *seg, uint64_t sequence, uint64_t *record,
                    uint64_t *frames)
{
    sl_walk walk = {.skip_errors = true};
    sl_segment_header hdr;
    sl_walk_item item;
    bool is_true;
    *record = seg->first_record;
    *frames = 0;
    if (sl_walk__open(&walk, j->dir, seg->first, j->cursors.id, SL_WALK_HEADERS, &hdr, &is_true) < 0) return;
    while (sl_walk__look(&walk, &item) == 0 &&
           (item.found == SL_WALK_FRAME || item.found == SL_WALK_DAMAGE)) {
        sl_walk__pass(&walk, &item);
        if (item.found == SL_WALK_DAMAGE) continue;
        if (item.hdr.sequence >= sequence) break;
        *record = item.hdr.first_record + item.hdr.records;
        (*frames)++;
    }
    sl_walk__close(&walk);
}

/* The last segment that begins at or before the sequence; 0 when there is none. */
static size_t segment_of(const sl_disk_journal *j, uint64_t sequence)
{
    size_t i = j->count;
    while (i > 1 && j->segs[i - 1].first > sequence)
        i--;
    return i - 1;
}

uint64_t sl_position__record(const sl_disk_journal *j, uint64_t sequence, uint64_t *frames_before)
{
    *frames_before = 0;
    if (j->count == 0 || sequence >= j->cursors.next_sequence) return j->cursors.next_record;
    size_t i = segment_of(j, sequence);
    const sl_segment *seg = &j->segs[i];
    if (sequence <= seg->first) return seg->first_record;
    *frames_before = seg->frames;
    if (sequence >= seg->next) return end_record(j, i);
    uint64_t record;
    walk_to(j, seg, sequence, &record, frames_before);
    return record < end_record(j, i) ? record : end_record(j, i);
}

size_t sl_position__backlog(const sl_disk_journal *j, uint64_t cursor, sl_backlog *out, size_t max)
{
    size_t n = 0;
    if (j->count == 0 || cursor >= j->cursors.next_sequence) return 0;
    uint64_t frames, from = sl_position__record(j, cursor, &frames);
    for (size_t i = segment_of(j, cursor); i < j->count; i++) {
        const sl_segment *seg = &j->segs[i];
        uint64_t start = seg->first_record > from ? seg->first_record : from;
        if (start >= end_record(j, i)) continue;
        if (n < max) out[n] = (sl_backlog){.first = seg->first, .records = end_record(j, i) - start};
        n++;
    }
    return n;
}

void sl_position__count(const sl_disk_journal *j, uint64_t *frames, uint64_t *records)
{
    uint64_t before, lowest = sl_cursors__lowest(&j->cursors);
    uint64_t from = sl_position__record(j, lowest, &before);
    *frames = *records = 0;
    if (j->count == 0 || lowest >= j->cursors.next_sequence) return;
    for (size_t i = segment_of(j, lowest); i < j->count; i++)
        *frames += j->segs[i].frames;
    *frames -= before < *frames ? before : *frames;
    if (j->cursors.next_record > from) *records = j->cursors.next_record - from;
}
