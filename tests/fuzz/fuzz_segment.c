/* <flags> <bytes of a segment>: opened as a journal, read, looked into, and continued. Flag 1: the sums of
 * the frame headers are made right first, so that lies in them are believed. Whatever stands there, opening
 * succeeds, reading ends, and what is appended afterwards is read back.
 */
#include "journal/inspect.h"
#include "journal/journal_int.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MAX_SEGMENT (256u * 1024)

static char dir[256];

static void on_sequence(void *arg, uint64_t sequence)
{
    (void)arg, (void)sequence;
}
static void on_appended(void *arg, uint64_t sequence, uint64_t segment, uint32_t records, sl_batch *batch)
{
    (void)arg, (void)sequence, (void)segment, (void)records, (void)batch;
}
static void on_dropped(void *arg, uint64_t sequence, const char *reason)
{
    (void)arg, (void)sequence, (void)reason;
}
static void on_room(void *arg)
{
    (void)arg;
}

static void empty_dir(const char *path)
{
    DIR *handle = opendir(path);
    struct dirent *entry;
    while (handle && (entry = readdir(handle))) {
        char name[1024];
        snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
        if (entry->d_type == DT_REG) unlink(name);
    }
    if (handle) closedir(handle);
}

static void remove_dir(void)
{
    char path[512];
    snprintf(path, sizeof(path), "%s/" SL_QUARANTINE_DIR, dir);
    empty_dir(path);
    rmdir(path);
    empty_dir(dir);
    rmdir(dir);
}

static void make_dir(void)
{
    const char *base = getenv("TMPDIR");
    if (dir[0]) return;
    snprintf(dir, sizeof(dir), "%s/sluice-fuzz-XXXXXX", base ? base : "/tmp");
    if (!mkdtemp(dir)) abort();
    atexit(remove_dir);
}

static void sign_headers(char *bytes, size_t size)
{
    uint64_t id = size >= SL_SEGMENT_HEADER ? sl_get64(bytes + 8) : 0;
    if (size >= SL_SEGMENT_HEADER) sl_put64(bytes + 56, sl_format__sum(bytes, 56, 0));
    for (size_t at = SL_SEGMENT_HEADER; at + SL_FRAME_HEADER <= size; at++) {
        bool frame = memcmp(bytes + at, SL_MAGIC_FRAME, SL_MAGIC_LEN) == 0;
        bool seal = memcmp(bytes + at, SL_MAGIC_SEAL, SL_MAGIC_LEN) == 0;
        if (frame || seal) sl_put64(bytes + at + 72, sl_format__sum(bytes + at, 72, id));
    }
}

static void write_segment(const uint8_t *data, size_t size, bool sign)
{
    char path[SL_PATH_LEN];
    char *bytes = malloc(size ? size : 1);
    if (!bytes) abort();
    memcpy(bytes, data, size);
    if (sign) sign_headers(bytes, size);
    uint64_t first = size >= SL_SEGMENT_HEADER ? sl_get64(bytes + 16) : 1;
    if (first == 0 || first >= SL_MAX_SEQUENCE) first = 1;
    sl_segment__path(dir, first, "", path);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (fd < 0 || write(fd, bytes, size) != (ssize_t)size) abort();
    close(fd);
    free(bytes);
}

/* Reads from `from` until there is nothing; the last sequence that was read. */
static uint64_t read_all(uint64_t from)
{
    sl_journal_reader *reader = sl_journal_reader_new(dir);
    uint64_t last = 0;
    for (;;) {
        sl_batch *batch;
        uint64_t next, lost;
        int rc = sl_journal_reader_read(reader, from, &batch, &next, &lost, NULL);
        if (rc == SL_E_CORRUPT && next <= from) abort();
        if (rc == SL_E_CORRUPT) {
            from = next;
            continue;
        }
        if (rc != 0) break;
        if (batch->sequence < from) abort();
        last = batch->sequence;
        from = last + 1;
        sl_batch_unref(batch);
    }
    sl_journal_reader_free(reader);
    return last;
}

static sl_journal *open_journal(void)
{
    static const sl_journal_events events = {on_sequence, on_appended, on_dropped, on_room};
    static const sl_journal_conf conf = {.segment_size = 1 << 20, .fsync = SL_FSYNC_OFF};
    static const char *const outputs[] = {"out"};
    sl_journal_report report;
    sl_err err = SL_ERR_NONE;
    sl_journal *journal = sl_journal_open(dir, &conf, outputs, 1, &events, NULL, &report, &err);
    if (!journal) abort();
    return journal;
}

/* Numbers near the end of their range are a forger's: no agent lives to write them, and none is asked to go
 * on from them. */
static bool can_go_on(const sl_journal *journal)
{
    const sl_disk_journal *disk = sl_container_of(journal, const sl_disk_journal, base);
    return disk->cursors.next_sequence < SL_MAX_SEQUENCE - 1 &&
           disk->cursors.next_record < SL_MAX_SEQUENCE - 1;
}

static void append_one(sl_journal *journal)
{
    sl_frame frame;
    sl_frame_coder *coder = sl_frame_coder_new(0);
    sl_batch *batch = sl_batch_new();
    sl_batch_add(batch, SL_SPAN("{\"a\":1}"), 0, 1, 1);
    if (sl_batch_seal(batch) != 0 || sl_frame_encode(coder, batch, &frame, NULL) != 0) abort();
    if (sl_journal_append(journal, &frame, batch, NULL) != 0) abort();
    if (read_all(batch->sequence) != batch->sequence) abort();
    sl_batch_unref(batch);
    sl_frame_coder_free(coder);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > MAX_SEGMENT) return 0;
    const sl_inspector look = {.verify = true};
    make_dir();
    write_segment(data + 1, size - 1, data[0] & 1);
    if (sl_journal_inspect(dir, &look, NULL) != 0) abort();
    for (int run = 0; run < 2; run++) {
        sl_journal *journal = open_journal();
        (void)sl_journal_buffered(journal, 0);
        read_all(sl_journal_first(journal, 0));
        if (run == 0 && can_go_on(journal)) append_one(journal);
        sl_journal_close(journal);
    }
    char path[512];
    snprintf(path, sizeof(path), "%s/" SL_QUARANTINE_DIR, dir);
    empty_dir(path);
    empty_dir(dir);
    return 0;
}
