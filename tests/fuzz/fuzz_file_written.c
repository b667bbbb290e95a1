/* <length of a key> <key> <length of a value> <value> …: what the file output remembers, as the state
 * database may hand it over. Whatever stands there loads; a record that is noted is known afterwards, also
 * after the next loading; no other source becomes known.
 */
#include "../../plugins/outputs/file/file_int.h"
#include "scratch_dir.h"
#include "state/state_db.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Takes a string off the front, its length in the first byte. */
static sl_span take(const uint8_t **data, size_t *size)
{
    size_t len = *size ? **data : 0, have = *size ? *size - 1 : 0;
    if (len > have) len = have;
    sl_span taken = {(const char *)*data + 1, len};
    *data += *size ? 1 + len : 0;
    *size -= *size ? 1 + len : 0;
    return taken;
}

static void put_all(sl_state *state, const uint8_t *data, size_t size)
{
    while (size > 0) {
        sl_span key = take(&data, &size), value = take(&data, &size);
        if (key.len && sl_state_put(state, key, value, NULL) != 0) abort();
    }
    if (sl_state_commit(state, false, NULL) != 0) abort();
}

static sl_batch *batch_of(sl_id source, uint64_t origin)
{
    sl_batch *batch = sl_batch_new();
    batch->source = source;
    sl_batch_add(batch, SL_SPAN("{}"), 0, 1, origin);
    if (sl_batch_seal(batch) != 0) abort();
    return batch;
}

static file_written *load(sl_state *state)
{
    file_written *written = file_written_load(state, NULL);
    if (!written) abort();
    return written;
}

static void note(sl_state *state, sl_record_ref ref)
{
    struct stat file = {.st_dev = 1, .st_ino = 2, .st_size = 100}, longer = {.st_dev = 1, .st_ino = 2};
    sl_request req = {.recs = &ref, .count = 1};
    file_written *written = load(state);
    if (file_written_commit(written, &req, &file, NULL) != 0 || !file_written_has(written, ref)) abort();
    file_written_free(written);
    written = load(state);
    longer.st_size = 101;
    if (!file_written_has(written, ref) || file_written_cut(written, &longer) != 100) abort();
    file_written_free(written);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const sl_id source = {1, 2}, stranger = {0xdeadbeefdeadbeef, 3};
    scratch_make();
    sl_state *state = sl_state_open(scratch, SL_SPAN("output/file"), NULL);
    if (!state) abort();
    put_all(state, data, size);
    sl_batch *known = batch_of(source, 7), *unknown = batch_of(stranger, 0);
    note(state, (sl_record_ref){known, known->recs});
    file_written *written = load(state);
    bool has = file_written_has(written, (sl_record_ref){unknown, unknown->recs});
    if (has && !memmem(data, size, "deadbeefdeadbeef", 16) && !memmem(data, size, "DEADBEEF", 8)) abort();
    file_written_free(written);
    sl_batch_unref(known);
    sl_batch_unref(unknown);
    sl_state_close(state);
    scratch_empty();
    return 0;
}
