/* file_int.h: the parts of the file output: configuration, the file being written, old files, what was
 * written before a restart. */
#ifndef SLUICE_OUTPUT_FILE_H
#define SLUICE_OUTPUT_FILE_H

#include <sluice/plugin.h>

enum { FILE_COMPRESS_NONE, FILE_COMPRESS_GZIP, FILE_COMPRESS_ZSTD };

typedef struct file_conf {
    sl_span path;
    sl_span mode_text;
    mode_t mode; /* made of mode_text by check() */
    struct {
        uint64_t size;
        int64_t age_ns;
    } rotate;
    int compress;
    struct {
        int64_t count;
        uint64_t size;
        int64_t age_ns;
    } keep;
    bool fsync;
} file_conf;

/* ---- file_written.c: which records stand in the file already ---- */

/* After each write the progress is committed to the state database. What a restart after a kill brings again,
 * be it from the journal or read once more from its source, is recognised by its source and origin. Batches
 * meant for this output alone (dead letters sent again) are always written. */
typedef struct file_written file_written;
file_written *file_written_load(sl_state *state, sl_err *err);
void file_written_free(file_written *written);
bool file_written_has(const file_written *written, sl_record_ref ref);
/* Notes which file is being written and its size, before anything is added to it: without that, what a first
 * write adds before a kill could not be told from what stood there. 0 or an error. */
int file_written_begin(file_written *written, const struct stat *file, sl_err *err);
/* Notes the records of the request as written, and the size the file has now; one transaction. 0 or an error:
 * then they count as written all the same, for as long as this process lives, and the next note tries again.
 */
int file_written_commit(file_written *written, const sl_request *req, const struct stat *file, sl_err *err);
/* Where the file must be cut: bytes behind were written but not noted, and will be sent again. -1: leave it
 * as it is. */
int64_t file_written_cut(const file_written *written, const struct stat *file);

/* ---- file_old.c: rotated files: naming, compression, retention ---- */

/* Moves the file at path to its final name, `<path>.<UTC time>[-n]`. 0 or an error. */
int file_old_rotate(const file_conf *conf, sl_err *err);
/* Compresses rotated files where asked, also those that a crash interrupted, and removes what `keep` does not
 * keep. Names appear whole or not at all; an error loses nothing. */
int file_old_tidy(const file_conf *conf, sl_err *err);

/* file_compress.c: from -> to, in slices of a fixed size; `to` is synced. 0 or a negative errno. */
int file_compress(const char *from, const char *to, int kind);

#endif
