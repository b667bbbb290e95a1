/* replay.c: dead letters sent again: an input of every pipeline that nobody configures.
 *
 * `sluice deadletter replay` leaves a request file that names the last frame of letters that is meant. This
 * input looks for it from time to time, reads the letters, and emits each record under its old source and
 * origin, so that its id is the one it had. A letter of an output goes to that output alone and past the
 * filters, which it has been through; a letter of a filter goes through all of them again. When a frame of
 * letters is safe in the pipeline's journal the letters' cursor moves past it. A crash in between sends some
 * twice, under the same ids.
 */
#include "replay.h"
#include "journal/journal.h"
#include "pipeline_int.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define LOOK_EVERY_NS (2 * SL_NS_PER_S)

typedef struct replay {
    sl_input *in;
    sl_dead_letters *letters;
    char folder[SL_DEAD_LETTERS_PATH], request[SL_DEAD_LETTERS_PATH];
    sl_timer *timer;
    sl_journal_reader *reader; /* NULL: nothing is asked for */
    uint64_t next, last;       /* frames of letters still to be read */
    uint64_t under_way;        /* receipts not back yet */
    bool failed;               /* a receipt came back unsafe: nothing behind it may be acknowledged */
    sl_tape tape;
} replay;

/* What comes back with the receipt of one emitted batch. */
typedef struct sent_frame {
    replay *owner;
    uint64_t next; /* letters before it are safe with it; 0: more of the same frame follow */
} sent_frame;

/* ---- frames of letters ---- */

static void end_request(replay *self)
{
    sl_journal_reader_free(self->reader);
    self->reader = NULL;
    sl_fs_unlink(self->request);
    if (sl_input_once(self->in)) sl_input_finished(self->in);
}

static void on_released(void *arg, bool safe)
{
    sent_frame *sent = arg;
    replay *self = sent->owner;
    sl_err err = SL_ERR_NONE;
    self->under_way--;
    self->failed = self->failed || !safe;
    if (sent->next && !self->failed && sl_dead_letters_ack(self->letters, sent->next, &err) < 0)
        sl_warn(sl_input_name(self->in), "letters that were sent again are still kept: %s", err.text);
    bool done = self->reader && self->next > self->last && !self->under_way;
    sl_free(sent);
    if (done && !self->failed) end_request(self);
}

static void emit_letter(replay *self, sl_batch *batch, uint64_t next)
{
    sent_frame *sent = sl_calloc(1, sizeof *sent);
    *sent = (sent_frame){.owner = self, .next = next};
    batch->receipt = sl_receipt_new(self->in, on_released, sent);
    self->under_way++;
    sl_input_emit(self->in, batch);
}

static void emit_frame(replay *self, const sl_batch *letters)
{
    uint64_t next = letters->sequence + 1;
    for (uint32_t i = 0; i < letters->count; i++) {
        const sl_record *rec = &letters->recs[i];
        sl_batch *batch = sl_dead_letter_parse((sl_span){rec->text, rec->len}, rec->time_ns, &self->tape);
        bool last = i + 1 == letters->count;
        if (batch)
            emit_letter(self, batch, last ? next : 0);
        else
            sl_error(sl_input_name(self->in),
                     "letter %u of frame %llu in %s is not readable and stays where it is", i,
                     (unsigned long long)letters->sequence, self->folder);
    }
    self->next = next;
}

static void go_on(replay *self)
{
    while (self->reader && self->next <= self->last && sl_input_may_read(self->in)) {
        sl_err err = SL_ERR_NONE;
        sl_batch *letters = NULL;
        uint64_t next = 0, lost = 0;
        int rc = sl_journal_reader_read(self->reader, self->next, &letters, &next, &lost, &err);
        if (rc == 0 && letters->sequence <= self->last) {
            emit_frame(self, letters);
        } else if (rc == SL_E_CORRUPT) {
            sl_error(sl_input_name(self->in), "%llu dead letters are damaged: %s", (unsigned long long)lost,
                     err.text);
            self->next = next;
        } else {
            self->next =
                self->last + 1; /* none left, or the disk refuses: what is kept can be asked for again */
        }
        sl_batch_unref(letters);
    }
    if (self->reader && self->next > self->last && !self->under_way) end_request(self);
}

/* ---- requests ---- */

static bool read_request(replay *self)
{
    sl_buf text = SL_BUF_NONE;
    bool there = sl_fs_read_file(self->request, 64, &text) == 0;
    if (there) self->last = strtoull(sl_buf_cstr(&text), NULL, 10);
    sl_buf_release(&text);
    return there;
}

static bool look(replay *self)
{
    if (self->reader || !read_request(self)) return false;
    self->reader = sl_journal_reader_new(self->folder);
    self->next = sl_dead_letters_first(self->folder);
    self->failed = false;
    sl_info(sl_input_name(self->in), "dead letters up to frame %llu are sent again",
            (unsigned long long)self->last);
    go_on(self);
    return true;
}

static void on_timer(void *arg)
{
    look(arg);
}

static void *replay_start(sl_input *in, const void *conf, sl_err *err)
{
    (void)err;
    const sl_replay_conf *place = conf;
    replay *self = sl_calloc(1, sizeof *self);
    self->in = in;
    self->letters = place->letters;
    sl_dead_letters_folder(place->data_dir, place->pipeline, self->folder);
    sl_dead_letters_request_path(place->data_dir, place->pipeline, self->request);
    self->timer = sl_timer_new(sl_input_loop(in), on_timer, self);
    if (!look(self) && sl_input_once(in)) sl_input_finished(in);
    if (!sl_input_once(in)) sl_timer_start(self->timer, LOOK_EVERY_NS, LOOK_EVERY_NS);
    return self;
}

static void replay_resume(void *self)
{
    go_on(self);
}

/* What is not read yet stays asked for. */
static void replay_stop(void *arg)
{
    replay *self = arg;
    sl_timer_stop(self->timer);
    sl_journal_reader_free(self->reader);
    self->reader = NULL;
}

static void replay_free(void *arg)
{
    replay *self = arg;
    sl_timer_free(self->timer);
    sl_tape_release(&self->tape);
    sl_free(self);
}

static const sl_input_ops ops = {
    .start = replay_start,
    .resume = replay_resume,
    .stop = replay_stop,
    .free = replay_free,
};

const sl_plugin sl_replay_plugin = {
    .abi = SL_ABI_VERSION,
    .kind = SL_PLUGIN_INPUT,
    .name = "replay",
    .help = "Dead letters, sent again.",
    .input = &ops,
};
