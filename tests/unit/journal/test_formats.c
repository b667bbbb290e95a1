/* Journals of every version that ever was stay readable: tests/formats/journal-v<N> and what is in it, line
 * by line. */
#include "check_main.h"
#include "journal/inspect.h"
#include "journal_kit.h"

#include <stdio.h>
#include <stdlib.h>

#define SAMPLES SLUICE_SOURCE_DIR "/tests/formats/"

/* One line a record: sequence, id, flags, time, origin, target, and the record as an output writes it. */
static bool print_batch(void *arg, const sl_batch *batch)
{
    sl_buf *out = arg;
    for (uint32_t i = 0; i < batch->count; i++) {
        const sl_record *rec = &batch->recs[i];
        char id[SL_ID_TEXT_LEN];
        sl_id_format(sl_record_id(batch, rec), id);
        sl_buf_printf(out, "%llu %.32s %u %lld %llu %.*s ", (unsigned long long)batch->sequence, id,
                      rec->flags, (long long)rec->time_ns, (unsigned long long)rec->origin,
                      SL_SPAN_ARG(batch->target));
        sl_record_write(batch, rec, out);
        sl_buf_append_char(out, '\n');
    }
    return true;
}

static bool fail_on_problem(void *arg, const char *text)
{
    (void)arg;
    ck_abort_msg("%s", text);
    return false;
}

static void check_sample(const char *name)
{
    char path[512], dir[256];
    size_t len;
    sl_buf got = SL_BUF_NONE;
    sl_err err = SL_ERR_NONE;
    const sl_inspector look = {.arg = &got, .batch = print_batch, .problem = fail_on_problem};
    snprintf(path, sizeof(path), SAMPLES "%s", name);
    kit_copy_dir(path, dir);
    ck_assert_msg(sl_journal_inspect(dir, &look, &err) == 0, "%s", err.text);
    snprintf(path, sizeof(path), SAMPLES "%s/expected", name);
    char *expected = kit_read_file(path, &len);
    ck_assert_uint_gt(len, 0);
    ck_assert_msg(sl_span_is((sl_span){expected, len}, sl_buf_span(&got)), "%s reads:\n%s", name,
                  sl_buf_cstr(&got));
    sl_buf_release(&got);
    free(expected);
}

START_TEST(formats__version_1_is_read_as_it_was_written)
{
    check_sample("journal-v1");
}
END_TEST

/* The agent goes on with it: cursors, numbers, readers. */
START_TEST(formats__version_1_is_opened_and_continued)
{
    kit k;
    kit_init(&k);
    kit_copy_dir(SAMPLES "journal-v1", k.dir);
    k.outputs[0] = "search";
    k.outputs[1] = "archive";
    k.n_outputs = 2;
    ck_assert_msg(kit_open(&k), "%s", k.err.text);
    ck_assert_str_eq(k.report.first_problem, "");
    ck_assert_uint_eq(k.report.segments, 2);
    ck_assert_uint_eq(k.report.frames, 3);
    ck_assert_uint_eq(k.report.records, 8);
    ck_assert_uint_eq(sl_journal_first(k.journal, 0), 3);
    ck_assert_uint_eq(sl_journal_first(k.journal, 1), 2);
    ck_assert_uint_eq(sl_journal_next(k.journal), 5);
    ck_assert_uint_eq(sl_journal_buffered(k.journal, 0), 5);
    ck_assert_int_eq(kit_append(&k, 10), 0);
    sl_journal_reader *reader = sl_journal_reader_new(k.dir);
    for (uint64_t sequence = 2; sequence <= 5; sequence++) {
        sl_batch *batch;
        uint64_t next, lost;
        ck_assert_int_eq(sl_journal_reader_read(reader, sequence, &batch, &next, &lost, NULL), 0);
        ck_assert_uint_eq(batch->sequence, sequence);
        sl_batch_unref(batch);
    }
    sl_journal_reader_free(reader);
    kit_release(&k);
}
END_TEST

START_TEST(formats__version_2_is_read_as_it_was_written)
{
    check_sample("journal-v2");
}
END_TEST

SL_TEST_MAIN("formats", formats__version_1_is_read_as_it_was_written,
             formats__version_2_is_read_as_it_was_written, formats__version_1_is_opened_and_continued)
