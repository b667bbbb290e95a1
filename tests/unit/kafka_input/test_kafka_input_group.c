#include "kafka_input_scene.h"

/* Two members of one group, and partitions that change hands. */

#define TOTAL 8000

static void second(member *other, scene *s, const char *options)
{
    const char *said = member_init(other, &s->mock, "topics: [logs], group: g, %s", options);
    ck_assert_msg(!said[0], "%s", said);
    member_start(other);
}

static void wait_shared(scene *s, member *other)
{
    member_wait_metric(&s->m, "partitions_assigned", "", PARTITIONS / 2);
    member_wait_metric(other, "partitions_assigned", "", PARTITIONS / 2);
}

/* How often each number came, over both; the same number always has the same id. */
static unsigned *count_numbers(member *a, member *b, int total)
{
    unsigned *times = sl_calloc((size_t)total, sizeof *times);
    rig_record **first = sl_calloc((size_t)total, sizeof *first);
    member *members[] = {a, b};
    for (size_t k = 0; k < SL_LEN(members); k++) {
        for (size_t i = 0; i < members[k]->in.count; i++) {
            rig_record *rec = &members[k]->in.recs[i];
            int n = number_of(rec);
            ck_assert(n >= 0 && n < total);
            if (first[n]) ck_assert(first[n]->id.hi == rec->id.hi && first[n]->id.lo == rec->id.lo);
            first[n] = rec;
            times[n]++;
        }
    }
    sl_free(first);
    return times;
}

/* What was committed before is read once. The mock cluster takes no commits while it rebalances: what is read
 * meanwhile may come again, under the same id. */
static void join_in_the_middle(const char *options)
{
    static scene s;
    static member other;
    begin(&s, options);
    member_start(&s.m);
    member_wait_metric(&s.m, "partitions_assigned", "", PARTITIONS);
    writer_numbers(&s.w, "logs", PARTITIONS, 0, TOTAL / 4);
    member_wait(&s.m, TOTAL / 4);
    settle();
    second(&other, &s, options);
    for (int part = 1; part < 4; part++) {
        writer_numbers(&s.w, "logs", PARTITIONS, part * TOTAL / 4, TOTAL / 4);
        if (part == 2) wait_shared(&s, &other);
    }
    for (int i = 0; i < 20000 && member_count(&s.m) + member_count(&other) < TOTAL; i++)
        usleep(1000);
    settle();
    settle();
    member_stop(&other);
    member_stop(&s.m);
    ck_assert_uint_gt(other.in.count, 0);
    unsigned *times = count_numbers(&s.m, &other, TOTAL);
    for (int n = 0; n < TOTAL; n++)
        ck_assert_msg(times[n] == 1 || (times[n] > 1 && n >= TOTAL / 4), "%d came %u times", n, times[n]);
    sl_free(times);
    member_release(&other);
    end(&s);
}

START_TEST(kafka_group__a_member_that_joins_takes_over_without_loss)
{
    join_in_the_middle("");
}
END_TEST

/* All partitions leave, and come anew. */
START_TEST(kafka_group__an_eager_assignor_does_no_worse)
{
    join_in_the_middle("assignor: range");
}
END_TEST

START_TEST(kafka_group__what_was_not_safe_is_read_by_the_next_owner)
{
    static scene s;
    static member other;
    begin(&s, "");
    member_hold_receipts(&s.m, true);
    member_start(&s.m);
    writer_numbers(&s.w, "logs", PARTITIONS, 0, 1000);
    member_wait(&s.m, 1000);
    second(&other, &s, "");
    wait_shared(&s, &other); /* after KAFKA_REVOKE_WAIT_NS */
    member_wait(&other, 500);
    ck_assert_uint_eq(member_metric(&s.m, "partitions_left_unsafe_total", ""), PARTITIONS / 2);
    member_hold_receipts(&s.m, false); /* receipts of partitions that have left move nothing */
    settle();
    member_stop(&other);
    member_stop(&s.m);
    unsigned *times = count_numbers(&s.m, &other, 1000), twice = 0;
    for (int n = 0; n < 1000; n++) {
        ck_assert_uint_ge(times[n], 1);
        twice += times[n] == 2;
    }
    ck_assert_uint_ge(twice, 500);
    sl_free(times);
    member_release(&other);
    end(&s);
}
END_TEST

/* The one that stays has all partitions again, and goes on where the other one was safe. */
START_TEST(kafka_group__a_member_that_leaves_is_followed_up)
{
    static scene s;
    static member other;
    begin(&s, "");
    member_start(&s.m);
    second(&other, &s, "");
    wait_shared(&s, &other);
    writer_numbers(&s.w, "logs", PARTITIONS, 0, 1000);
    for (int i = 0; i < 20000 && member_count(&s.m) + member_count(&other) < 1000; i++)
        usleep(1000);
    member_stop(&other);
    member_wait_metric(&s.m, "partitions_assigned", "", PARTITIONS);
    writer_numbers(&s.w, "logs", PARTITIONS, 1000, 1000);
    for (int i = 0; i < 20000 && member_count(&s.m) + member_count(&other) < 2000; i++)
        usleep(1000);
    settle();
    member_stop(&s.m);
    unsigned *times = count_numbers(&s.m, &other, 2000);
    for (int n = 0; n < 2000; n++)
        ck_assert_msg(times[n] == 1, "%d came %u times", n, times[n]);
    sl_free(times);
    member_release(&other);
    end(&s);
}
END_TEST

SL_TEST_MAIN("kafka_group", kafka_group__a_member_that_joins_takes_over_without_loss,
             kafka_group__an_eager_assignor_does_no_worse,
             kafka_group__what_was_not_safe_is_read_by_the_next_owner,
             kafka_group__a_member_that_leaves_is_followed_up)
