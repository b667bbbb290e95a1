/* checkpoint.c: what is remembered of each generation: key the id in 32 hexadecimal digits, value one line of
 * text:
 *
 *   1 dev ino born_ns head_len head_hash off flags mark_hash size mtime_ns ended ended_s path
 *
 * numbers in decimal, hashes in hexadecimal, separated by single spaces; `path` is the rest, any bytes.
 * `ended` is 0, or 1 + tail_end. The length of the mark follows from off. Another first number is another
 * format.
 *
 * An id becomes durable (synced) before the first record of its file leaves. Positions are saved once a
 * second without a sync: an older one is as safe, as what is read again has the same ids.
 */
#include "tail_int.h"
#include <inttypes.h>
#include <sluice/fault.h>
#include <stdlib.h>

#define FORMAT 1

enum { FLAG_SKIP = 1, FLAG_ROTATED = 2 };

/* ---- as text ---- */

static void write_value(const tail_file *f, sl_buf *out)
{
    bool ended = f->state == TAIL_ENDED && f->end != TAIL_END_UNSEEN;
    int flags = (f->ckpt.skip ? FLAG_SKIP : 0) | (f->rotated ? FLAG_ROTATED : 0);
    sl_buf_clear(out);
    sl_buf_printf(out, "%d %" PRIu64 " %" PRIu64 " %" PRId64 " %u %016" PRIx64 " %" PRIu64 " %d %016" PRIx64,
                  FORMAT, (uint64_t)f->dev, (uint64_t)f->ino, f->born_ns, f->head.len, f->head.hash,
                  f->ckpt.off, flags, f->ckpt.hash);
    sl_buf_printf(out, " %" PRIu64 " %" PRId64 " %d %" PRId64 " %s", f->size, f->mtime_ns,
                  ended ? 1 + (int)f->end : 0, ended ? f->ended_s : 0, f->path);
}

/* The next number; *at moves behind the space after it. */
static bool read_number(const char **at, int base, uint64_t *value)
{
    char *end;
    if (**at == ' ' || **at == '\0') return false;
    *value = strtoull(*at, &end, base);
    if (*end != ' ') return false;
    *at = end + 1;
    return true;
}

enum {
    F_FORMAT,
    F_DEV,
    F_INO,
    F_BORN,
    F_HEAD_LEN,
    F_HEAD,
    F_OFF,
    F_FLAGS,
    F_MARK,
    F_SIZE,
    F_MTIME,
    F_END,
    F_ENDED_S,
    FIELDS
};

static bool read_value(const char *text, uint64_t v[FIELDS], const char **path)
{
    for (int i = 0; i < FIELDS; i++)
        if (!read_number(&text, i == F_HEAD || i == F_MARK ? 16 : 10, &v[i])) return false;
    *path = text;
    return v[F_FORMAT] == FORMAT && v[F_HEAD_LEN] > 0 && v[F_HEAD_LEN] <= TAIL_HEAD &&
           v[F_FLAGS] <= (FLAG_SKIP | FLAG_ROTATED) && v[F_END] <= 1 + TAIL_END_MISSED && *text &&
           strlen(text) < TAIL_MAX_PATH;
}

static void take_value(tail *t, sl_id id, const uint64_t v[FIELDS], const char *path)
{
    tail_file *f = tail_file_new(t);
    f->id = id;
    f->dev = (dev_t)v[F_DEV];
    f->ino = (ino_t)v[F_INO];
    f->born_ns = (int64_t)v[F_BORN];
    f->size = v[F_SIZE];
    f->mtime_ns = (int64_t)v[F_MTIME];
    f->ckpt = (tail_pos){.off = v[F_OFF],
                         .hash = v[F_MARK],
                         .len = (uint16_t)(v[F_OFF] < TAIL_MARK ? v[F_OFF] : TAIL_MARK),
                         .skip = v[F_FLAGS] & FLAG_SKIP};
    f->rotated = v[F_FLAGS] & FLAG_ROTATED;
    f->pos = f->ckpt;
    f->end = v[F_END] ? (tail_end)(v[F_END] - 1) : TAIL_END_UNSEEN;
    f->ended_s = (int64_t)v[F_ENDED_S];
    tail_file_set_state(t, f, TAIL_ENDED);
    tail_file_set_path(t, f, path);
    tail_file_set_head(t, f, (tail_head){.hash = v[F_HEAD], .len = (uint16_t)v[F_HEAD_LEN]});
    if (f->end == TAIL_END_UNSEEN) tail_file_expect(t, f);
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool read_id(sl_span key, sl_id *id)
{
    uint64_t half[2] = {0, 0};
    if (key.len != SL_ID_TEXT_LEN) return false;
    for (size_t i = 0; i < SL_ID_TEXT_LEN; i++) {
        int digit = hex_digit(key.ptr[i]);
        if (digit < 0) return false;
        half[i / 16] = half[i / 16] << 4 | (uint64_t)digit;
    }
    *id = (sl_id){half[0], half[1]};
    return true;
}

static bool on_value(void *arg, sl_span key, sl_span value)
{
    tail *t = arg;
    sl_id id;
    uint64_t v[FIELDS];
    const char *path;
    char *text = sl_strndup(value.ptr, value.len);
    if (t->n_files < TAIL_MAX_FILES && read_id(key, &id) && read_value(text, v, &path)) {
        take_value(t, id, v, path);
    } else {
        sl_counter_add(t->count.bad_checkpoints, 1);
        tail_log(t, TAIL_MSG_STATE, SL_LOG_ERROR,
                 "a checkpoint in the state database cannot be understood: its file is read as a new one");
    }
    sl_free(text);
    return true;
}

int tail_load(tail *t, sl_err *err)
{
    return sl_state_each(t->db, on_value, t, err);
}

/* ---- saving ---- */

static void put(tail *t, const tail_file *f, sl_buf *value)
{
    write_value(f, value);
    char key[SL_ID_TEXT_LEN];
    sl_id_format(f->id, key);
    sl_err err = SL_ERR_NONE;
    if (sl_state_put(t->db, (sl_span){key, sizeof key}, sl_buf_span(value), &err) == 0) return;
    tail_log(t, TAIL_MSG_SAVE, SL_LOG_ERROR, "the checkpoint of %s is not saved: %s", f->path, err.text);
}

static bool commit(tail *t, bool durable)
{
    sl_err err = SL_ERR_NONE;
    bool failed_before = t->save_failed;
    t->save_failed = sl_state_commit(t->db, durable, &err) < 0;
    if (!t->save_failed) {
        if (failed_before) sl_input_ready(t->in);
        SL_FAULT(CHECKPOINT_SAVED);
        return true;
    }
    sl_counter_add(t->count.save_errors, 1);
    tail_save_later(t);
    sl_input_not_ready(t->in, &err);
    tail_log(t, TAIL_MSG_SAVE, SL_LOG_ERROR, "checkpoints are not saved: %s; it is tried again each second",
             err.text);
    return false;
}

static void put_dirty(tail *t)
{
    sl_buf value = SL_BUF_NONE;
    while (tail_is_linked(&t->dirty)) {
        tail_file *f = TAIL_FILE(t->dirty.next, dirty);
        tail_unlink(&f->dirty);
        if (f->state == TAIL_FOLLOWED || f->state == TAIL_ENDED) put(t, f, &value);
    }
    sl_buf_release(&value);
}

/* While a failed commit waits nothing is added to it, so that it does not grow. */
void tail_save(tail *t, bool durable)
{
    if (t->save_failed && !commit(t, true)) return;
    if (!tail_is_linked(&t->dirty) && !durable) return;
    put_dirty(t);
    commit(t, durable);
}

static void follow_named(tail *t)
{
    while (tail_is_linked(&t->named)) {
        tail_file *f = TAIL_FILE(t->named.next, named);
        tail_unlink(&f->named);
        if (f->state != TAIL_NAMED) continue;
        tail_file_set_state(t, f, TAIL_FOLLOWED);
        tail_make_ready(t, f);
        tail_update_timed(t, f);
        SL_FAULT(FILE_NAMED);
    }
}

bool tail_save_named(tail *t)
{
    if (t->save_failed && !commit(t, true)) return false;
    put_dirty(t); /* generations that ended, in the same commit as those that took their inodes */
    sl_buf value = SL_BUF_NONE;
    for (tail_link *at = t->named.next; at != &t->named; at = at->next)
        put(t, TAIL_FILE(at, named), &value);
    sl_buf_release(&value);
    if (!commit(t, true)) return false;
    follow_named(t);
    return true;
}

/* ---- forgetting ---- */

static void forget(tail *t, tail_file *f)
{
    char key[SL_ID_TEXT_LEN];
    sl_id_format(f->id, key);
    sl_err err = SL_ERR_NONE;
    if (sl_state_remove(t->db, (sl_span){key, sizeof key}, &err) < 0)
        tail_log(t, TAIL_MSG_SAVE, SL_LOG_ERROR, "an old checkpoint is not removed: %s", err.text);
    tail_file_free(t, f);
}

/* The list is in the order in which files were met: of those that ended the oldest tend to come first. */
void tail_forget_ended(tail *t)
{
    if (t->n_ended == 0 || t->save_failed) return;
    int64_t oldest = (sl_clock_wall_ns() - t->times.keep_ended) / SL_NS_PER_S;
    bool forgot = false;
    for (tail_link *at = t->files.next, *next; at != &t->files; at = next) {
        next = at->next;
        tail_file *f = TAIL_FILE(at, all);
        if (f->state != TAIL_ENDED || f->end == TAIL_END_UNSEEN) continue;
        if (f->ended_s >= oldest && t->n_ended <= TAIL_MAX_ENDED) continue;
        forget(t, f);
        forgot = true;
    }
    if (forgot) commit(t, false);
}
