#include "kafka_input_scene.h"

/* The input in a group of one. */

static int compare_ids(const void *a, const void *b)
{
    return memcmp(&((const rig_record *)a)->id, &((const rig_record *)b)->id, sizeof(sl_id));
}

/* Also where two partitions have a message at the same offset. */
static void expect_ids_apart(member *m)
{
    qsort(m->in.recs, m->in.count, sizeof *m->in.recs, compare_ids);
    for (size_t i = 1; i < m->in.count; i++)
        ck_assert_int_ne(compare_ids(&m->in.recs[i - 1], &m->in.recs[i]), 0);
}

START_TEST(kafka_input__records_come_once_and_in_order)
{
    static scene s;
    begin(&s, "");
    writer_numbers(&s.w, "logs", PARTITIONS, 0, 5000);
    member_start(&s.m);
    member_wait(&s.m, 5000);
    writer_numbers(&s.w, "logs", PARTITIONS, 5000, 1000);
    member_wait(&s.m, 6000);
    member_wait_metric(&s.m, "partitions_assigned", "", PARTITIONS);
    member_wait_metric(&s.m, "lag_messages", "logs/0", 0);
    settle();
    member_stop(&s.m);
    expect_numbers(&s.m, 0, 0, 6000);
    expect_ids_apart(&s.m);
    end(&s);
}
END_TEST

START_TEST(kafka_input__what_was_safe_is_not_read_again)
{
    static scene s;
    begin(&s, "");
    writer_numbers(&s.w, "logs", PARTITIONS, 0, 1000);
    member_start(&s.m);
    member_wait(&s.m, 1000);
    member_stop(&s.m);
    writer_numbers(&s.w, "logs", PARTITIONS, 1000, 500);
    member_start(&s.m);
    member_wait(&s.m, 1500);
    settle();
    member_stop(&s.m);
    expect_numbers(&s.m, 0, 0, 1500);
    end(&s);
}
END_TEST

static const rig_record *record_of(const member *m, size_t first, size_t end_at, int n)
{
    for (size_t i = first; i < end_at; i++)
        if (number_of(&m->in.recs[i]) == n) return &m->in.recs[i];
    ck_abort_msg("no record %d", n);
}

START_TEST(kafka_input__what_was_not_safe_is_read_again_under_the_same_ids)
{
    static scene s;
    begin(&s, "");
    writer_numbers(&s.w, "logs", PARTITIONS, 0, 1000);
    member_start(&s.m);
    member_wait(&s.m, 1000);
    settle(); /* these are committed */
    member_hold_receipts(&s.m, true);
    writer_numbers(&s.w, "logs", PARTITIONS, 1000, 400);
    member_wait(&s.m, 1400);
    member_kill(&s.m);
    member_hold_receipts(&s.m, true);
    member_start(&s.m);
    member_wait(&s.m, 1800);
    settle();
    member_stop(&s.m);
    expect_numbers(&s.m, 1400, 1000, 400);
    for (int n = 1000; n < 1400; n++) {
        const rig_record *once = record_of(&s.m, 1000, 1400, n), *again = record_of(&s.m, 1400, 1800, n);
        ck_assert(once->id.hi == again->id.hi && once->id.lo == again->id.lo);
    }
    end(&s);
}
END_TEST

/* Nobody takes from the queue for longer than the time after which librdkafka leaves a group by itself. */
START_TEST(kafka_input__a_full_pipeline_stops_reading_and_not_the_membership)
{
    static scene s;
    enum { COUNT = 600, LEN = 10000 };
    begin(&s, "memory: 4MiB, rdkafka: {max.poll.interval.ms: 4000}");
    char *text = sl_alloc(LEN);
    memset(text, 'x', LEN);
    s.m.in.full = true;
    member_start(&s.m);
    for (int n = 0; n < COUNT; n++)
        writer_send(&s.w, "logs", n % PARTITIONS, NULL, text, LEN);
    writer_flush(&s.w);
    usleep(6000 * 1000);
    ck_assert_uint_eq(member_count(&s.m), 0);
    ck_assert_uint_eq(member_metric(&s.m, "rebalances_total", ""), 1);
    ck_assert_uint_eq(member_metric(&s.m, "partitions_assigned", ""), PARTITIONS);
    member_set_full(&s.m, false);
    member_wait(&s.m, COUNT);
    settle();
    ck_assert_uint_eq(member_count(&s.m), COUNT);
    ck_assert_uint_eq(member_metric(&s.m, "rebalances_total", ""), 1);
    sl_free(text);
    end(&s);
}
END_TEST

SL_TEST_MAIN("kafka_input", kafka_input__records_come_once_and_in_order,
             kafka_input__what_was_safe_is_not_read_again,
             kafka_input__what_was_not_safe_is_read_again_under_the_same_ids,
             kafka_input__a_full_pipeline_stops_reading_and_not_the_membership)
