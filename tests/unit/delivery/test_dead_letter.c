/* Letters as text and back, and as frames of their journal. */
#include "base/metrics.h"
#include "check_main.h"
#include "delivery/dead_letter.h"
#include "journal/journal.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const sl_dead_letter plain = {.output = "search",
                                     .reason = "rejected",
                                     .first_error = "no \"field\"",
                                     .last_error = "no \"field\"",
                                     .attempts = 3,
                                     .first_time_ns = 1714566896789000000,
                                     .id = {1, 2},
                                     .source = {0x123456789abcdef0, 0x0fedcba987654321},
                                     .origin = 4711,
                                     .record = SL_SPAN("{\"a\":1,\"@timestamp\":\"x\"}")};

static sl_batch *there_and_back(const sl_dead_letter *letter, sl_buf *text)
{
    sl_tape tape = {0};
    sl_buf_clear(text);
    sl_dead_letter_format(letter, text);
    sl_batch *batch = sl_dead_letter_parse(sl_buf_span(text), 7, &tape);
    sl_tape_release(&tape);
    return batch;
}

static void check_record(const sl_batch *batch, const sl_dead_letter *letter, uint16_t flags)
{
    ck_assert_ptr_nonnull(batch);
    ck_assert_uint_eq(batch->count, 1);
    ck_assert(batch->source.hi == letter->source.hi && batch->source.lo == letter->source.lo);
    const sl_record *rec = &batch->recs[0];
    ck_assert_uint_eq(rec->origin, letter->origin);
    ck_assert_int_eq(rec->time_ns, 7);
    sl_id id = sl_record_id(batch, rec);
    ck_assert(id.hi == letter->id.hi && id.lo == letter->id.lo);
    ck_assert_uint_eq(rec->flags, flags | SL_RECORD_ID);
    ck_assert(sl_span_is((sl_span){rec->text, rec->len}, letter->record));
}

/* Most letters: their id follows from source and origin, and costs nothing more in the journal. */
START_TEST(dead_letter__has_an_id_of_its_own_only_where_it_had)
{
    sl_buf text = SL_BUF_NONE;
    sl_dead_letter letter = plain;
    sl_batch *batch = sl_batch_new();
    batch->source = letter.source;
    letter.id = sl_record_id(batch, sl_batch_add(batch, SL_SPAN("{}"), 0, 0, letter.origin));
    sl_batch_unref(batch);
    batch = there_and_back(&letter, &text);
    ck_assert_int_eq(batch->recs[0].flags & SL_RECORD_ID, 0);
    ck_assert_ptr_null(batch->ids);
    sl_batch_unref(batch);
    sl_buf_release(&text);
}
END_TEST

START_TEST(dead_letter__comes_back_as_the_record_that_it_was)
{
    sl_buf text = SL_BUF_NONE;
    sl_dead_letter letter = plain;
    sl_batch *batch = there_and_back(&letter, &text);
    check_record(batch, &letter, SL_RECORD_VALID_UTF8);
    ck_assert(sl_span_is_cstr(batch->target, "search"));
    sl_batch_unref(batch);
    letter.record = SL_SPAN("{}");
    letter.output = "filters";
    batch = there_and_back(&letter, &text);
    check_record(batch, &letter, SL_RECORD_VALID_UTF8 | SL_RECORD_TIME);
    ck_assert(sl_span_is_cstr(batch->target, SL_TARGET_ALL));
    sl_batch_unref(batch);
    letter.raw = true;
    letter.record = SL_SPAN("a \"line\" \\ of\x01 text");
    batch = there_and_back(&letter, &text);
    check_record(batch, &letter, SL_RECORD_RAW);
    sl_batch_unref(batch);
    sl_buf_release(&text);
}
END_TEST

START_TEST(dead_letter__is_nothing_else)
{
    static const char *const others[] = {
        "",
        "[]",
        "{}",
        "{\"source\":\"x\",\"origin\":1,\"output\":\"o\",\"record\":{}}",
        "{\"source\":\"00000000000000000000000000000000\",\"origin\":1,\"output\":\"o\"}",
        "{\"source\":\"00000000000000000000000000000000\",\"origin\":1,\"output\":\"o\",\"record\":1}",
        "{\"source\":\"00000000000000000000000000000000\",\"origin\":1,\"output\":\"\",\"record\":{}}",
        "{\"source\":\"00000000000000000000000000000000\",\"origin\":1,\"output\":\"o\",\"record\":{}",
        "{\"source\":\"0000000000000000000000000000000g\",\"origin\":1,\"output\":\"o\",\"record\":[]}",
    };
    sl_tape tape = {0};
    for (size_t i = 0; i < SL_LEN(others); i++)
        ck_assert_msg(!sl_dead_letter_parse(sl_span_of(others[i]), 0, &tape), "%s", others[i]);
    sl_buf text = SL_BUF_NONE;
    char *name = sl_calloc(1, SL_JOURNAL_MAX_NAME + 2);
    memset(name, 'n', SL_JOURNAL_MAX_NAME + 1);
    sl_dead_letter letter = plain;
    letter.output = name;
    ck_assert_ptr_null(there_and_back(&letter, &text)); /* no frame can name such an output */
    name[SL_JOURNAL_MAX_NAME] = '\0';
    sl_batch *batch = there_and_back(&letter, &text);
    ck_assert_ptr_nonnull(batch);
    sl_batch_unref(batch);
    sl_free(name);
    sl_buf_release(&text);
    sl_tape_release(&tape);
}
END_TEST

/* ---- on the disk ---- */

/* Reads the letters from `from` on; the sequence of the next frame, or 0 when there is none. */
static uint64_t read_frame(const char *folder, uint64_t from, uint32_t *letters, sl_buf *first)
{
    sl_journal_reader *reader = sl_journal_reader_new(folder);
    sl_batch *batch = NULL;
    uint64_t next, lost;
    *letters = 0;
    int rc = sl_journal_reader_read(reader, from, &batch, &next, &lost, NULL);
    uint64_t after = rc == 0 ? batch->sequence + 1 : 0;
    sl_buf_clear(first);
    if (rc == 0) *letters = batch->count;
    if (rc == 0) sl_buf_append(first, batch->recs[0].text, batch->recs[0].len);
    sl_batch_unref(batch);
    sl_journal_reader_free(reader);
    return after;
}

static void remove_all(const char *dir)
{
    char command[256];
    snprintf(command, sizeof command, "rm -r %s", dir);
    ck_assert_int_eq(system(command), 0);
}

/* Every byte of the record needs six in JSON; and the errors are as long as errors get. */
START_TEST(dead_letter__of_a_record_too_long_keeps_its_beginning_and_says_so)
{
    char dir[] = "/tmp/sluice-letters-XXXXXX", folder[SL_DEAD_LETTERS_PATH];
    ck_assert_ptr_nonnull(mkdtemp(dir));
    sl_dead_letters_folder(dir, "p", folder);
    size_t len = SL_DEAD_LETTER_MAX_RECORD + 5, error_len = 2 * SL_DEAD_LETTER_MAX_TEXT;
    char *line = sl_alloc(len), *error = sl_calloc(1, error_len + 1);
    memset(line, 1, len);
    memset(error, 2, error_len);
    sl_dead_letter letter = plain;
    letter.raw = true;
    letter.record = (sl_span){line, len};
    letter.first_error = letter.last_error = error;
    sl_dead_letters *letters = sl_dead_letters_open(dir, "p");
    sl_err err = SL_ERR_NONE;
    ck_assert_msg(sl_dead_letters_write(letters, &letter, 1, &err) == 0, "%s", err.text);

    uint32_t count;
    sl_buf text = SL_BUF_NONE, metrics = SL_BUF_NONE;
    ck_assert_uint_ne(read_frame(folder, sl_dead_letters_first(folder), &count, &text), 0);
    ck_assert_uint_eq(count, 1);
    ck_assert_uint_lt(sl_span_find(sl_buf_span(&text), SL_SPAN("\"cut\":5,"), 0), text.len);
    sl_tape tape = {0};
    sl_batch *batch = sl_dead_letter_parse(sl_buf_span(&text), 0, &tape);
    ck_assert_ptr_nonnull(batch);
    ck_assert_uint_eq(batch->recs[0].len, SL_DEAD_LETTER_MAX_RECORD);
    ck_assert_uint_eq(batch->recs[0].flags, SL_RECORD_RAW | SL_RECORD_TRUNCATED | SL_RECORD_ID);
    sl_metrics_write(&metrics);
    ck_assert_ptr_nonnull(strstr(sl_buf_cstr(&metrics), "sluice_dead_letters_cut_total{pipeline=\"p\"} 1\n"));

    sl_batch_unref(batch);
    sl_tape_release(&tape);
    sl_buf_release(&text);
    sl_buf_release(&metrics);
    sl_dead_letters_close(letters);
    sl_free(line);
    sl_free(error);
    remove_all(dir);
}
END_TEST

START_TEST(dead_letter__many_are_as_many_frames_as_they_need)
{
    char dir[] = "/tmp/sluice-letters-XXXXXX", folder[SL_DEAD_LETTERS_PATH];
    ck_assert_ptr_nonnull(mkdtemp(dir));
    sl_dead_letters_folder(dir, "p", folder);
    char *line = sl_alloc(SL_DEAD_LETTER_MAX_RECORD);
    memset(line, 'x', SL_DEAD_LETTER_MAX_RECORD);
    sl_dead_letter some[5];
    for (size_t i = 0; i < SL_LEN(some); i++) {
        some[i] = plain;
        some[i].raw = true;
        some[i].record = (sl_span){line, SL_DEAD_LETTER_MAX_RECORD};
    }
    sl_dead_letters *letters = sl_dead_letters_open(dir, "p");
    ck_assert_int_eq(sl_dead_letters_write(letters, some, SL_LEN(some), NULL), 0);
    uint32_t sum = 0, frames = 0, count;
    sl_buf text = SL_BUF_NONE;
    for (uint64_t at = sl_dead_letters_first(folder); (at = read_frame(folder, at, &count, &text)) != 0;
         frames++)
        sum += count;
    ck_assert_uint_eq(sum, SL_LEN(some));
    ck_assert_uint_eq(frames, 3);
    sl_buf_release(&text);
    sl_dead_letters_close(letters);
    sl_free(line);
    remove_all(dir);
}
END_TEST

SL_TEST_MAIN("dead_letter", dead_letter__has_an_id_of_its_own_only_where_it_had,
             dead_letter__comes_back_as_the_record_that_it_was, dead_letter__is_nothing_else,
             dead_letter__of_a_record_too_long_keeps_its_beginning_and_says_so,
             dead_letter__many_are_as_many_frames_as_they_need)
