/* window.c: a ring of frames; found by binary search, as sequences rise but may have gaps. */
#include "window.h"

#define FIRST_CAP 16u

void sl_window_init(sl_window *window, uint64_t *held)
{
    *window = (sl_window){.cap = FIRST_CAP, .held = held};
    window->ring = sl_calloc(window->cap, sizeof *window->ring);
}

static sl_window_frame *frame_at(const sl_window *window, size_t i)
{
    return &window->ring[(window->head + i) & (window->cap - 1)];
}

static void let_go(sl_window *window, sl_window_frame *frame)
{
    if (!frame->batch) return;
    *window->held -= sl_batch_held_bytes(frame->batch);
    sl_batch_unref(frame->batch);
    frame->batch = NULL;
}

void sl_window_release(sl_window *window)
{
    for (size_t i = 0; i < window->count; i++)
        let_go(window, frame_at(window, i));
    sl_free(window->ring);
    *window = (sl_window){0};
}

static void grow(sl_window *window)
{
    sl_window_frame *ring = sl_calloc(window->cap * 2, sizeof *ring);
    for (size_t i = 0; i < window->count; i++)
        ring[i] = *frame_at(window, i);
    sl_free(window->ring);
    window->ring = ring;
    window->head = 0;
    window->cap *= 2;
}

void sl_window_push(sl_window *window, sl_batch *batch)
{
    sl_assert(!window->count || frame_at(window, window->count - 1)->sequence < batch->sequence);
    if (window->count == window->cap) grow(window);
    sl_window_frame *frame = frame_at(window, window->count++);
    *frame = (sl_window_frame){batch->sequence, batch, batch->count};
    *window->held += sl_batch_held_bytes(batch);
    if (!frame->open) let_go(window, frame);
}

static sl_window_frame *find_frame(const sl_window *window, uint64_t sequence)
{
    size_t from = 0, to = window->count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (frame_at(window, middle)->sequence < sequence)
            from = middle + 1;
        else
            to = middle;
    }
    sl_assert(from < window->count && frame_at(window, from)->sequence == sequence);
    return frame_at(window, from);
}

void sl_window_settle(sl_window *window, const sl_record_ref *recs, size_t count)
{
    size_t i = 0;
    while (i < count) {
        const sl_batch *batch = recs[i].batch;
        size_t first = i;
        while (i < count && recs[i].batch == batch)
            i++;
        sl_window_frame *frame = find_frame(window, batch->sequence);
        sl_assert(frame->batch == batch && frame->open >= i - first);
        frame->open -= (uint32_t)(i - first);
        if (!frame->open) let_go(window, frame);
    }
}

uint64_t sl_window_cursor(sl_window *window, uint64_t next)
{
    while (window->count && !frame_at(window, 0)->open) {
        window->head = (window->head + 1) & (window->cap - 1);
        window->count--;
    }
    return window->count ? frame_at(window, 0)->sequence : next;
}
