/* test_lines.c: bytes to lines: ends, lengths, NULs, and what a restart makes of them. */
#include "rig.h"

static void begin(rig *r)
{
    rig_init(r);
    rig_path(r, "*.log");
}

START_TEST(lines__are_read_as_they_are_written)
{
    rig r;
    begin(&r);
    rig_append(&r, "a.log", "one\ntwo\r\n\n\r\nthree\n");
    rig_start(&r);
    rig_expect(&r, "one", "two", "three", NULL);
    rig_append(&r, "a.log", "four\n");
    rig_append(&r, "b.log", "five\n");
    rig_expect(&r, "one", "two", "three", "four", "five", NULL);
    ck_assert_uint_eq(rig_count(&r, "lines_empty_total"), 2);
    ck_assert_uint_eq(r.in.delivered[0].origin, 0);
    ck_assert_uint_eq(r.in.delivered[1].origin, 4);
    ck_assert_uint_eq(r.in.delivered[2].origin, 12);
    ck_assert_int_eq(r.in.delivered[0].flags, SL_RECORD_RAW);
    ck_assert_str_eq(r.in.delivered[0].common, "");
    rig_release(&r);
}
END_TEST

START_TEST(lines__empty_ones_are_kept_when_wanted)
{
    rig r;
    begin(&r);
    r.conf.skip_empty_lines = false;
    rig_append(&r, "a.log", "one\n\n\r\n");
    rig_start(&r);
    rig_expect_total(&r, 3);
    rig_release(&r);
}
END_TEST

START_TEST(lines__carry_file_and_offset_when_wanted)
{
    rig r;
    begin(&r);
    r.conf.include_file = r.conf.include_offset = true;
    r.conf.file_field = SL_SPAN("log.\"file");
    rig_append(&r, "a \"b\".log", "one\n");
    rig_start(&r);
    rig_expect(&r, "one", NULL);
    ck_assert_int_eq(r.in.delivered[0].flags, SL_RECORD_RAW | SL_RECORD_COMMON | SL_RECORD_OFFSET);
    char common[600];
    snprintf(common, sizeof common, "\"log.\\\"file\":\"%s/a \\\"b\\\".log\"", r.dir);
    ck_assert_str_eq(r.in.delivered[0].common, common);
    rig_release(&r);
}
END_TEST

START_TEST(lines__a_partial_one_waits_for_its_end_even_over_a_restart)
{
    rig r;
    begin(&r);
    rig_append(&r, "a.log", "one\ntw");
    rig_start(&r);
    rig_expect(&r, "one", NULL);
    rig_append(&r, "a.log", "o");
    rig_expect(&r, "one", NULL);
    rig_kill(&r);
    rig_start(&r);
    rig_expect(&r, "one", NULL);
    rig_append(&r, "a.log", "!\nthr");
    rig_expect(&r, "one", "two!", NULL);
    rig_stop(&r);
    rig_append(&r, "a.log", "ee\n");
    rig_start(&r);
    rig_expect(&r, "one", "two!", "three", NULL);
    rig_release(&r);
}
END_TEST

START_TEST(lines__a_bom_is_left_out_at_the_start_only)
{
    rig r;
    begin(&r);
    rig_append(&r, "a.log", "\xef\xbb\xbfone\n\xef\xbb\xbftwo\n");
    rig_start(&r);
    rig_expect(&r, "one", "\xef\xbb\xbftwo", NULL);
    ck_assert_uint_eq(r.in.delivered[0].origin, 0);
    rig_release(&r);
}
END_TEST

static char *repeat(const char *what, size_t times)
{
    sl_buf buf = SL_BUF_NONE;
    for (size_t i = 0; i < times; i++)
        sl_buf_append_cstr(&buf, what);
    sl_buf_cstr(&buf);
    return buf.ptr;
}

START_TEST(lines__too_long_ones_are_cut_between_characters_and_the_next_are_whole)
{
    rig r;
    begin(&r);
    r.conf.max_line = 1000;
    char *exact = repeat("x", 1000), *over = repeat("y", 1001), *utf8 = repeat("\xe2\x82\xac", 400);
    rig_append(&r, "a.log", exact);
    rig_append(&r, "a.log", "\n");
    rig_append(&r, "a.log", over);
    rig_append(&r, "a.log", "\r\n");
    rig_append(&r, "a.log", utf8);
    rig_append(&r, "a.log", "\nshort\n");
    rig_start(&r);
    rig_expect_total(&r, 4);
    const rig_record *rec = r.in.delivered;
    ck_assert_uint_eq(rec[0].len, 1000);
    ck_assert_int_eq(rec[0].flags & SL_RECORD_TRUNCATED, 0);
    ck_assert_uint_eq(rec[1].len, 1000);
    ck_assert_int_ne(rec[1].flags & SL_RECORD_TRUNCATED, 0);
    ck_assert_uint_eq(rec[2].len, 999); /* 333 characters of three bytes */
    ck_assert_str_eq(rec[3].text, "short");
    ck_assert_uint_eq(rig_count(&r, "lines_truncated_total"), 2);
    sl_free(exact);
    sl_free(over);
    sl_free(utf8);
    rig_release(&r);
}
END_TEST

START_TEST(lines__one_that_never_ends_is_cut_once_and_skipped_over_a_restart)
{
    rig r;
    begin(&r);
    r.conf.max_line = 300000;
    char *part = repeat("0123456789", 20000);
    rig_append(&r, "a.log", "first\n");
    rig_start(&r);
    rig_wait(&r, 1);
    for (int i = 0; i < 5; i++) {
        rig_append(&r, "a.log", part);
        rig_sleep_ms(10);
    }
    rig_expect_total(&r, 2);
    ck_assert_uint_eq(r.in.delivered[1].len, 300000);
    rig_sleep_ms(60); /* the checkpoint is saved */
    rig_kill(&r);
    rig_append(&r, "a.log", part);
    rig_start(&r);
    rig_append(&r, "a.log", "tail of it\nlast\n");
    rig_expect_total(&r, 3);
    ck_assert_str_eq(r.in.delivered[2].text, "last");
    ck_assert_uint_eq(rig_count(&r, "lines_truncated_total"), 1);
    sl_free(part);
    rig_release(&r);
}
END_TEST

/* 100 MB in one line: the buffer never holds more than max_line. */
START_TEST(lines__a_hundred_megabytes_need_no_hundred_megabytes)
{
    rig r;
    begin(&r);
    FILE *f = fopen(rig_file(&r, "a.log"), "w");
    char *block = repeat("abcdefgh", 1 << 17);
    for (int i = 0; i < 100; i++)
        fwrite(block, 1, 1 << 20, f);
    fputs("\nnext\n", f);
    fclose(f);
    rig_start(&r);
    rig_expect_total(&r, 2);
    ck_assert_uint_eq(r.in.delivered[0].len, 1 << 20);
    ck_assert_str_eq(r.in.delivered[1].text, "next");
    ck_assert_uint_eq(rig_count(&r, "line_bytes_cut_total"), 99 << 20);
    sl_free(block);
    rig_release(&r);
}
END_TEST

START_TEST(lines__long_ones_below_the_limit_are_whole_however_they_are_written)
{
    rig r;
    begin(&r);
    char *part = repeat("0123456789", 3000);
    rig_start(&r);
    for (int i = 0; i < 20; i++) {
        rig_append(&r, "a.log", part);
        rig_sleep_ms(3);
    }
    rig_append(&r, "a.log", "\nnext\n");
    rig_expect_total(&r, 2);
    ck_assert_uint_eq(r.in.delivered[0].len, 600000);
    ck_assert_str_eq(r.in.delivered[1].text, "next");
    sl_free(part);
    rig_release(&r);
}
END_TEST

START_TEST(lines__nuls_at_their_start_are_skipped_and_counted)
{
    rig r;
    begin(&r);
    rig_write(&r, "a.log", "w", SL_SPAN("one\n\0\0\0two\n\0\nthr\0ee\n"));
    rig_start(&r);
    rig_expect_total(&r, 3);
    ck_assert_str_eq(r.in.delivered[1].text, "two");
    ck_assert_uint_eq(r.in.delivered[1].origin, 7);
    ck_assert_uint_eq(r.in.delivered[2].len, 6);
    ck_assert_uint_eq(rig_count(&r, "nul_bytes_skipped_total"), 4);
    rig_release(&r);
}
END_TEST

/* Room made beforehand and filled in place: its NULs are not passed over. */
START_TEST(lines__written_into_prepared_room_are_read)
{
    rig r;
    begin(&r);
    char *room = sl_calloc(1, 400000);
    rig_append(&r, "a.log", "one\n");
    rig_write(&r, "a.log", "a", (sl_span){room, 400000});
    rig_start(&r);
    rig_expect(&r, "one", NULL);
    int fd = open(rig_file(&r, "a.log"), O_WRONLY);
    ck_assert_int_eq(pwrite(fd, "two\nthr", 7, 4), 7);
    rig_expect(&r, "one", "two", NULL);
    ck_assert_int_eq(pwrite(fd, "ee\n", 3, 11), 3);
    close(fd);
    rig_expect(&r, "one", "two", "three", NULL);
    sl_free(room);
    rig_release(&r);
}
END_TEST

START_TEST(lines__read_from_end_takes_the_unfinished_line_whole)
{
    rig r;
    begin(&r);
    r.conf.read_from = TAIL_FROM_END;
    rig_append(&r, "a.log", "old\nunfin");
    rig_append(&r, "b.log", "old too\n");
    rig_start(&r);
    rig_sleep_ms(30);
    rig_append(&r, "a.log", "ished\n");
    rig_append(&r, "b.log", "new\n");
    rig_append(&r, "c.log", "appeared later\n");
    rig_expect(&r, "unfinished", "new", "appeared later", NULL);
    rig_kill(&r);
    rig_append(&r, "b.log", "while stopped\n");
    rig_start(&r);
    rig_expect(&r, "unfinished", "new", "appeared later", "while stopped", NULL);
    rig_release(&r);
}
END_TEST

START_TEST(lines__old_files_are_left_alone_until_written_to)
{
    rig r;
    begin(&r);
    r.conf.ignore_older = 3600 * SL_NS_PER_S;
    rig_append(&r, "old.log", "old\n");
    rig_append(&r, "new.log", "new\n");
    struct timespec times[2] = {{.tv_sec = time(NULL) - 7200}, {.tv_sec = time(NULL) - 7200}};
    utimensat(AT_FDCWD, rig_file(&r, "old.log"), times, 0);
    rig_start(&r);
    rig_expect(&r, "new", NULL);
    rig_append(&r, "old.log", "again\n");
    rig_expect(&r, "new", "again", NULL);
    rig_release(&r);
}
END_TEST

START_TEST(lines__once_reads_everything_to_its_end_and_says_so)
{
    rig r;
    begin(&r);
    rig_path(&r, "sub/**/*.txt");
    rig_append(&r, "a.log", "one\nno newline");
    rig_append(&r, "empty.log", "");
    rig_copy(&r, "a.log", "twin.log");
    sl_fs_mkdirs(rig_file(&r, "sub/deep"), 0755);
    rig_lines(&r, "sub/deep/x.txt", "x", 0, 20000);
    r.in.once = true;
    rig_start(&r);
    for (int i = 0; i < 5000 && !r.in.finished; i++)
        rig_sleep_ms(1);
    ck_assert(r.in.finished);
    rig_settle(&r);
    ck_assert_uint_eq(r.in.n_delivered, 20004);
    ck_assert_uint_eq(rig_times_seen(&r, "no newline"), 2);
    rig_release(&r);
}
END_TEST

START_TEST(lines__a_full_pipeline_stops_reading_until_there_is_room)
{
    rig r;
    begin(&r);
    r.in.full = true;
    rig_append(&r, "a.log", "one\n");
    rig_start(&r);
    rig_expect_total(&r, 0);
    r.in.full = false;
    sl_loop_call_wait(r.in.loop, sl_input_tail.input->resume, r.self);
    rig_expect(&r, "one", NULL);
    rig_release(&r);
}
END_TEST

START_TEST(lines__a_quiet_file_is_not_kept_waiting_by_a_flooded_one)
{
    rig r;
    begin(&r);
    rig_lines(&r, "flood.log", "flood", 0, 100000);
    rig_append(&r, "quiet.log", "quiet\n");
    rig_start(&r);
    rig_wait(&r, 1);
    while (rig_times_seen(&r, "quiet") == 0)
        rig_sleep_ms(1);
    ck_assert_uint_lt(rig_delivered(&r), 50000);
    rig_release(&r);
}
END_TEST

START_TEST(checkpoint__moves_only_with_receipts_and_ids_stay)
{
    rig r;
    begin(&r);
    r.in.hold_receipts = true;
    rig_append(&r, "a.log", "one\ntwo\n");
    rig_start(&r);
    while (__atomic_load_n(&r.in.emitted, __ATOMIC_RELAXED) < 2)
        rig_sleep_ms(1);
    rig_sleep_ms(50);
    rig_kill(&r); /* nothing was safe */
    r.in.hold_receipts = false;
    rig_append(&r, "a.log", "three\n");
    rig_start(&r);
    rig_expect(&r, "one", "two", "three", NULL);
    sl_id id = r.in.delivered[0].source;
    rig_sleep_ms(60);
    rig_kill(&r);
    rig_start(&r);
    rig_append(&r, "a.log", "four\n");
    rig_expect(&r, "one", "two", "three", "four", NULL);
    ck_assert_uint_eq(r.in.emitted, 2 + 3 + 1);
    for (int i = 0; i < 4; i++)
        ck_assert_mem_eq(&r.in.delivered[i].source, &id, sizeof id);
    rig_release(&r);
}
END_TEST

START_TEST(checkpoint__damaged_ones_are_counted_and_the_file_is_read_anew)
{
    rig r;
    begin(&r);
    rig_append(&r, "a.log", "one\n");
    rig_start(&r);
    rig_expect(&r, "one", NULL);
    rig_stop(&r);
    sl_state *state = sl_state_open(r.state_dir, SL_SPAN("tail"), NULL);
    const char *bad[] = {"",
                         "1",
                         "2 1 1 1 1 00 1 0 00 1 1 0 0 /x",
                         "1 1 1 1 9999 00 1 0 00 1 1 0 0 /x",
                         "1 1 1 1 10 00 1 0 00 1 1 0 0 ",
                         "1 x 1 1 10 00 1 0 00 1 1 0 0 /x"};
    for (size_t i = 0; i < SL_LEN(bad); i++) {
        char key[33];
        snprintf(key, sizeof key, "%032zx", i);
        sl_state_put(state, sl_span_of(key), sl_span_of(bad[i]), NULL);
    }
    sl_state_put(state, SL_SPAN("short"), SL_SPAN("1 1 1 1 10 00 1 0 00 1 1 0 0 /x"), NULL);
    sl_state_commit(state, true, NULL);
    sl_state_close(state);
    rig_start(&r);
    rig_append(&r, "a.log", "two\n");
    rig_expect(&r, "one", "two", NULL);
    ck_assert_uint_eq(rig_count(&r, "checkpoints_damaged_total"), SL_LEN(bad) + 1);
    rig_release(&r);
}
END_TEST

SL_TEST_MAIN("tail lines", lines__are_read_as_they_are_written, lines__empty_ones_are_kept_when_wanted,
             lines__carry_file_and_offset_when_wanted,
             lines__a_partial_one_waits_for_its_end_even_over_a_restart,
             lines__a_bom_is_left_out_at_the_start_only,
             lines__too_long_ones_are_cut_between_characters_and_the_next_are_whole,
             lines__one_that_never_ends_is_cut_once_and_skipped_over_a_restart,
             lines__a_hundred_megabytes_need_no_hundred_megabytes,
             lines__long_ones_below_the_limit_are_whole_however_they_are_written,
             lines__nuls_at_their_start_are_skipped_and_counted, lines__written_into_prepared_room_are_read,
             lines__read_from_end_takes_the_unfinished_line_whole,
             lines__old_files_are_left_alone_until_written_to,
             lines__once_reads_everything_to_its_end_and_says_so,
             lines__a_full_pipeline_stops_reading_until_there_is_room,
             lines__a_quiet_file_is_not_kept_waiting_by_a_flooded_one,
             checkpoint__moves_only_with_receipts_and_ids_stay,
             checkpoint__damaged_ones_are_counted_and_the_file_is_read_anew)
