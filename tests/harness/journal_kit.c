/* journal_kit.c: see the header. */
#include "journal_kit.h"
#include "check_main.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- batches ---- */

sl_batch *kit_batch(uint64_t from, uint32_t records, size_t len)
{
    sl_batch *batch = sl_batch_new();
    batch->source = (sl_id){0x1122334455667788u, 0x99aabbccddeeff00u};
    ck_assert_int_eq(sl_batch_set_common(batch, SL_SPAN("\"file\":\"/var/log/a.log\"")), 0);
    size_t room = records * (len + 64);
    char *text = sl_batch_try_alloc(batch, room), *at = text;
    for (uint32_t i = 0; i < records; i++) {
        int n = snprintf(at, len + 64, "{\"n\":%llu,\"text\":\"", (unsigned long long)(from + i));
        while ((size_t)n + 2 < len)
            at[n] = (char)('a' + (from + i + (uint64_t)n * 7) % 26), n++;
        n += sprintf(at + n, "\"}");
        uint16_t flags = SL_RECORD_TIME | SL_RECORD_VALID_UTF8 | (i % 3 ? 0 : SL_RECORD_COMMON);
        sl_batch_add(batch, (sl_span){at, (size_t)n}, flags,
                     1700000000000000000 + (int64_t)(from + i) * 1000000, (from + i) * 101);
        at += n;
        *at++ = '\n';
    }
    ck_assert_int_eq(sl_batch_seal(batch), 0);
    return batch;
}

uint64_t kit_number(const sl_record *rec)
{
    return strtoull(rec->text + strlen("{\"n\":"), NULL, 10);
}

bool kit_same(const sl_batch *a, const sl_batch *b)
{
    if (a->count != b->count || a->text_len != b->text_len || a->bytes != b->bytes) return false;
    if (a->source.hi != b->source.hi || a->source.lo != b->source.lo) return false;
    if (!sl_span_is(a->common, b->common) || !sl_span_is(a->target, b->target)) return false;
    for (uint32_t i = 0; i < a->count; i++) {
        const sl_record *x = &a->recs[i], *y = &b->recs[i];
        if (!sl_span_is((sl_span){x->text, x->len}, (sl_span){y->text, y->len})) return false;
        if (x->time_ns != y->time_ns || x->origin != y->origin || x->flags != y->flags) return false;
        sl_id a_id = sl_record_id(a, x), b_id = sl_record_id(b, y);
        if (a_id.hi != b_id.hi || a_id.lo != b_id.lo) return false;
    }
    return a->text_len == 0 || memcmp(a->text, b->text, a->text_len) == 0;
}

/* ---- the journal ---- */

static void on_safe(void *arg, uint64_t sequence)
{
    kit *k = arg;
    ck_assert_uint_gt(sequence, k->safe);
    k->safe = sequence;
}
static void on_appended(void *arg, uint64_t sequence, uint64_t segment, uint32_t records, sl_batch *batch)
{
    kit *k = arg;
    ck_assert_uint_gt(sequence, k->appended);
    ck_assert_uint_le(segment, sequence);
    ck_assert_uint_eq(batch->count, records);
    ck_assert_uint_eq(batch->sequence, sequence);
    k->appended = sequence;
    k->last_segment = segment;
}
static void on_dropped_before(void *arg, uint64_t sequence, const char *reason)
{
    kit *k = arg;
    ck_assert_uint_gt(sequence, k->dropped_before);
    k->dropped_before = sequence;
    k->reason = reason;
}
static void on_room(void *arg)
{
    ((kit *)arg)->rooms++;
}

void kit_init(kit *k)
{
    *k = (kit){
        .conf = {.type = SL_JOURNAL_DISK,
                 .segment_size = 64 * 1024,
                 .fsync = SL_FSYNC_BATCH,
                 .fsync_interval_ns = SL_NS_PER_S,
                 .compress_level = 1},
        .outputs = {"out"},
        .n_outputs = 1,
    };
    char base[256];
    kit_new_dir(base);
    snprintf(k->dir, sizeof(k->dir), "%.240s/journal/p", base);
}

bool kit_open(kit *k)
{
    static const sl_journal_events events = {on_safe, on_appended, on_dropped_before, on_room};
    k->safe = k->appended = k->dropped_before = 0;
    sl_frame_coder_free(k->coder);
    k->coder = sl_frame_coder_new((int)k->conf.compress_level);
    k->journal = sl_journal_open(k->dir, &k->conf, k->outputs, k->n_outputs, &events, k, &k->report, &k->err);
    return k->journal != NULL;
}

void kit_close(kit *k)
{
    sl_journal_close(k->journal);
    k->journal = NULL;
}

static int refused_open(int dir, const char *path, int flags, mode_t mode)
{
    (void)dir, (void)path, (void)flags, (void)mode;
    return -EIO;
}
static ssize_t refused_write(int fd, const struct iovec *iov, int n, off_t off)
{
    (void)fd, (void)iov, (void)n, (void)off;
    return -EIO;
}
static int refused_sync(int fd, bool data_only)
{
    (void)fd, (void)data_only;
    return -EIO;
}
static int refused_truncate(int fd, off_t len)
{
    (void)fd, (void)len;
    return -EIO;
}
static int refused_path(const char *path)
{
    (void)path;
    return -EIO;
}

void kit_kill(kit *k)
{
    sl_fs_ops dead = *sl_fs_real();
    dead.open = refused_open;
    dead.pwritev = refused_write;
    dead.fsync = refused_sync;
    dead.ftruncate = refused_truncate;
    dead.unlink = refused_path;
    sl_fs_swap(&dead);
    uint64_t safe = k->safe;
    kit_close(k);
    k->safe = safe;
    sl_fs_swap(NULL);
}

void kit_release(kit *k)
{
    if (k->journal) kit_close(k);
    sl_frame_coder_free(k->coder);
    k->coder = NULL;
}

int kit_append(kit *k, uint32_t records)
{
    sl_batch *batch = kit_batch(k->number, records, 100);
    sl_frame frame = sl_frame_bare(batch);
    k->err = (sl_err)SL_ERR_NONE;
    if (k->conf.type == SL_JOURNAL_DISK)
        ck_assert_int_eq(sl_frame_encode(k->coder, batch, &frame, &k->err), 0);
    int rc = sl_journal_append(k->journal, &frame, batch, &k->err);
    if (rc == 0) k->number += records;
    if (rc == 0 && k->conf.type == SL_JOURNAL_DISK) ck_assert_ptr_null(frame.bytes.ptr);
    sl_frame_release(&frame);
    sl_batch_unref(batch);
    return rc;
}

void kit_read(kit *k, uint64_t from, kit_seen *seen)
{
    sl_journal_reader *reader = sl_journal_reader_new(k->dir);
    *seen = (kit_seen){0};
    for (;;) {
        sl_batch *batch;
        uint64_t next, lost;
        sl_err err = SL_ERR_NONE;
        int rc = sl_journal_reader_read(reader, from, &batch, &next, &lost, &err);
        if (rc == SL_E_NOT_FOUND) break;
        if (rc == SL_E_CORRUPT) {
            ck_assert_uint_gt(next, from);
            seen->lost += lost;
            seen->damaged++;
            from = next;
            continue;
        }
        if (rc == SL_E_IO) continue;
        ck_assert_msg(rc == 0, "%s", err.text);
        ck_assert_uint_ge(batch->sequence, from);
        for (uint32_t i = 0; i < batch->count; i++) {
            uint64_t n = kit_number(&batch->recs[i]);
            ck_assert_uint_lt(n, sizeof(seen->count));
            seen->count[n]++;
        }
        seen->records += batch->count;
        seen->frames++;
        from = batch->sequence + 1;
        sl_batch_unref(batch);
    }
    sl_journal_reader_free(reader);
}

/* ---- files ---- */

void kit_new_dir(char out[256])
{
    static const char *base;
    static unsigned count;
    if (!base) base = sl_test_dir();
    snprintf(out, 256, "%s/%u", base, count++);
    ck_assert_int_eq(mkdir(out, 0700), 0);
}

char *kit_read_file(const char *path, size_t *len)
{
    FILE *file = fopen(path, "rb");
    ck_assert_msg(file != NULL, "%s", path);
    char *bytes = malloc(1 << 20);
    *len = fread(bytes, 1, 1 << 20, file);
    fclose(file);
    return bytes;
}

void kit_write_file(const char *path, const char *bytes, size_t len)
{
    FILE *file = fopen(path, "wb");
    ck_assert_msg(file != NULL, "%s", path);
    ck_assert_uint_eq(fwrite(bytes, 1, len, file), len);
    fclose(file);
}

void kit_copy_dir(const char *from, char to[256])
{
    kit_new_dir(to);
    DIR *dir = opendir(from);
    struct dirent *entry;
    while ((entry = readdir(dir))) {
        char a[1024], b[1024];
        size_t len;
        if (entry->d_type != DT_REG) continue;
        snprintf(a, sizeof(a), "%s/%s", from, entry->d_name);
        snprintf(b, sizeof(b), "%s/%s", to, entry->d_name);
        char *bytes = kit_read_file(a, &len);
        kit_write_file(b, bytes, len);
        free(bytes);
    }
    closedir(dir);
}

void kit_empty_dir(const char *path, const char *suffix)
{
    DIR *dir = opendir(path);
    struct dirent *entry;
    while (dir && (entry = readdir(dir))) {
        size_t len = strlen(entry->d_name), tail = strlen(suffix);
        char name[1024];
        snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
        if (entry->d_type == DT_REG && len >= tail && strcmp(entry->d_name + len - tail, suffix) == 0)
            unlink(name);
    }
    if (dir) closedir(dir);
}

const char *kit_segment(const kit *k, uint64_t first)
{
    static char path[SL_PATH_LEN];
    sl_segment__path(k->dir, first, "", path);
    return path;
}
