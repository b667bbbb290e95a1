/* journal_kit.h: a journal with its events recorded, and small sealed batches. */
#ifndef SLUICE_TEST_JOURNAL_KIT_H
#define SLUICE_TEST_JOURNAL_KIT_H

#include "faulty_disk.h"
#include "journal/journal_int.h"

/* A sealed batch of `records` objects {"n":<from>,"text":"…"}, about `len` bytes each, with origins and times
 * that rise. */
sl_batch *kit_batch(uint64_t from, uint32_t records, size_t len);
/* The "n" of a record of such a batch. */
uint64_t kit_number(const sl_record *rec);
/* Same records, times, origins, flags, source, common fields, target? */
bool kit_same(const sl_batch *a, const sl_batch *b);

#define KIT_MAX_OUTPUTS 4

typedef struct kit {
    char dir[256];
    sl_journal_conf conf;
    const char *outputs[KIT_MAX_OUTPUTS];
    unsigned n_outputs;
    sl_journal *journal;
    sl_journal_report report;
    sl_frame_coder *coder;
    sl_err err;
    /* what the events told */
    uint64_t safe, appended, last_segment, dropped_before, rooms;
    const char *reason;
    uint64_t number; /* "n" of the next record */
} kit;

/* fsync batch, 64 KiB segments, no limit, one output "out". */
void kit_init(kit *k);
bool kit_open(kit *k);
void kit_close(kit *k);
/* As kill -9 leaves it: the memory is freed, but nothing is synced, saved or sealed. */
void kit_kill(kit *k);
void kit_release(kit *k);
/* Appends one batch of `records`, about 100 bytes each. The result of sl_journal_append(). */
int kit_append(kit *k, uint32_t records);

/* Reads all frames from the output's cursor on. Marks the "n" seen; returns how many records were told as
 * lost. */
typedef struct kit_seen {
    uint8_t count[1 << 16]; /* by "n" */
    uint64_t records, frames, lost, damaged;
} kit_seen;
void kit_read(kit *k, uint64_t from, kit_seen *seen);

/* A new empty folder inside one of sl_test_dir(); any number of them. */
void kit_new_dir(char out[256]);
/* Copies the folder's files (not its folders) into a new one. */
void kit_copy_dir(const char *from, char to[256]);
/* Deletes the files in it whose names end so. A folder that is not there is fine. */
void kit_empty_dir(const char *path, const char *suffix);
/* Bytes of the file, in memory to be freed; and back. */
char *kit_read_file(const char *path, size_t *len);
void kit_write_file(const char *path, const char *bytes, size_t len);
/* The path of the segment that begins at `first`. */
const char *kit_segment(const kit *k, uint64_t first);

#endif
