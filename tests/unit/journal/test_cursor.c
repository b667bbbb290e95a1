/* Where the outputs stand: through damage, torn writes and failed syncs. */
#include "check_main.h"
#include "journal_kit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static char dir[256], path[512];
static sl_cursors c;
static const char *const two[] = {"a", "b"};

static void fresh(void)
{
    snprintf(dir, sizeof(dir), "%s", sl_test_dir());
    snprintf(path, sizeof(path), "%s/cursors", dir);
    sl_cursors__load(&c, dir);
    ck_assert(!c.lost);
    ck_assert_uint_eq(c.count, 0);
    sl_cursors__match(&c, two, 2, 1);
    c.id = 77;
    c.next_sequence = 20;
}

static void save(uint64_t a, uint64_t b, bool durable)
{
    c.list[0].next = a;
    c.list[1].next = b;
    ck_assert_int_eq(sl_cursors__save(&c, durable), 0);
    ck_assert(!c.moved);
}

static void reload(void)
{
    sl_cursors__close(&c);
    sl_cursors__load(&c, dir);
}

static void check(uint64_t a, uint64_t b)
{
    ck_assert_uint_eq(c.count, 2);
    ck_assert_str_eq(c.list[0].name, "a");
    ck_assert_uint_eq(c.list[0].next, a);
    ck_assert_uint_eq(c.list[1].next, b);
    ck_assert_uint_eq(c.id, 77);
}

START_TEST(cursor__comes_back_as_it_was_saved)
{
    fresh();
    for (uint64_t i = 1; i < 10; i++) {
        c.next_sequence = 100 + i;
        c.next_record = 1000 + i;
        save(i, 2 * i, i % 3 == 0);
        reload();
        check(i, 2 * i);
        ck_assert_uint_eq(c.next_sequence, 100 + i);
        ck_assert_uint_eq(c.next_record, 1000 + i);
        sl_cursors__match(&c, two, 2, 1);
    }
    sl_cursors__close(&c);
}
END_TEST

/* Whatever byte of the newest slot is hit, the one that was synced before it counts. */
START_TEST(cursor__a_damaged_slot_falls_back_to_the_synced_one)
{
    size_t len;
    fresh();
    save(5, 6, true);
    save(7, 8, false);
    char *good = kit_read_file(path, &len);
    unsigned newest = !c.kept_slot;
    for (size_t i = 0; i < 120; i++) {
        char *at = good + newest * SL_CURSOR_SLOT + i;
        char before = *at;
        *at = (char)~before;
        kit_write_file(path, good, len);
        *at = before;
        reload();
        bool beyond = i >= 48 + 2 * (18 + 1) + 8;
        check(beyond ? 7 : 5, beyond ? 8 : 6);
        ck_assert(!c.lost);
    }
    free(good);
    sl_cursors__close(&c);
}
END_TEST

START_TEST(cursor__unsynced_saves_leave_the_synced_slot_alone)
{
    size_t len;
    fresh();
    save(5, 6, true);
    for (uint64_t i = 0; i < 5; i++)
        save(7 + i, 8 + i, false);
    char *bytes = kit_read_file(path, &len);
    memset(bytes + !c.kept_slot * SL_CURSOR_SLOT, 0xff, SL_CURSOR_SLOT);
    kit_write_file(path, bytes, len);
    free(bytes);
    reload();
    check(5, 6);
    sl_cursors__close(&c);
}
END_TEST

START_TEST(cursor__both_slots_bad_is_told_zeros_and_nothing_are_not)
{
    size_t len;
    fresh();
    save(5, 6, true);
    save(5, 7, true);
    char *bytes = kit_read_file(path, &len);
    bytes[20] ^= 1;
    bytes[SL_CURSOR_SLOT + 20] ^= 1;
    kit_write_file(path, bytes, len);
    reload();
    ck_assert(c.lost);
    ck_assert_uint_eq(c.count, 0);
    ck_assert_uint_eq(c.next_sequence, 1);
    memset(bytes, 0, len);
    kit_write_file(path, bytes, len);
    reload();
    ck_assert(!c.lost);
    kit_write_file(path, bytes, 0);
    reload();
    ck_assert(!c.lost);
    free(bytes);
    sl_cursors__close(&c);
}
END_TEST

START_TEST(cursor__lengths_and_counts_in_a_slot_are_bounded)
{
    size_t len;
    static const struct {
        size_t at, bytes;
        uint64_t value;
    } lies[] = {{6, 2, 0xffff},    {6, 2, 3},   {40, 4, 0xffffffff}, {40, 4, 10},        {48 + 16, 2, 0},
                {48 + 16, 2, 200}, {48, 8, 21}, {24, 8, UINT64_MAX}, {32, 8, UINT64_MAX}};
    fresh();
    save(5, 6, true);
    char *good = kit_read_file(path, &len);
    for (size_t i = 0; i < SL_LEN(lies); i++) {
        char *bytes = malloc(len), *slot = bytes + c.kept_slot * SL_CURSOR_SLOT;
        memcpy(bytes, good, len);
        for (size_t b = 0; b < lies[i].bytes; b++)
            slot[lies[i].at + b] = (char)(lies[i].value >> (8 * b));
        uint32_t slot_len = sl_get32(slot + 40);
        if (slot_len <= SL_CURSOR_SLOT - 8) sl_put64(slot + slot_len, sl_format__sum(slot, slot_len, 0));
        kit_write_file(path, bytes, len);
        free(bytes);
        reload();
        ck_assert_msg(c.lost && c.count == 0, "lie %zu was believed", i);
        kit_write_file(path, good, len);
        reload();
    }
    free(good);
    sl_cursors__close(&c);
}
END_TEST

START_TEST(cursor__a_failed_save_changes_nothing)
{
    static const disk_call calls[] = {DISK_WRITE, DISK_SYNC};
    fresh();
    save(5, 6, true);
    for (size_t i = 0; i < SL_LEN(calls); i++) {
        uint64_t generation = c.generation;
        c.list[0].next = 9;
        c.moved = true;
        disk_fail(calls[i], 1, 1, EIO, false);
        ck_assert_int_eq(sl_cursors__save(&c, true), -EIO);
        disk_heal();
        ck_assert(c.moved);
        ck_assert_uint_eq(c.generation, generation);
    }
    unsigned kept = c.kept_slot;
    save(9, 6, true);
    ck_assert_uint_ne(c.kept_slot, kept);
    reload();
    check(9, 6);
    sl_cursors__close(&c);
}
END_TEST

START_TEST(cursor__absent_outputs_are_kept_for_their_grace)
{
    static const char *const one[] = {"b"};
    fresh();
    sl_clock_fake(1000 * SL_NS_PER_S);
    save(5, 9, true);
    reload();
    sl_cursors__match(&c, one, 1, 2);
    ck_assert_uint_eq(c.count, 2);
    ck_assert_str_eq(c.list[0].name, "b");
    ck_assert_uint_eq(sl_cursors__lowest(&c), 9); /* the absent one holds nothing back */
    ck_assert_int_eq(sl_cursors__save(&c, true), 0);
    reload();
    sl_clock_advance(SL_CURSOR_GRACE_NS + 1);
    sl_cursors__match(&c, one, 1, 2);
    ck_assert_uint_eq(c.count, 1);
    sl_cursors__close(&c);
    sl_clock_fake(-1);
}
END_TEST

START_TEST(cursor__the_most_outputs_with_the_longest_names_fit)
{
    static char names[SL_JOURNAL_MAX_OUTPUTS][SL_JOURNAL_MAX_NAME + 1];
    static const char *list[SL_JOURNAL_MAX_OUTPUTS];
    fresh();
    sl_cursors__close(&c);
    sl_cursors__load(&c, dir);
    for (int i = 0; i < SL_JOURNAL_MAX_OUTPUTS; i++) {
        memset(names[i], 'x', SL_JOURNAL_MAX_NAME);
        names[i][0] = (char)(1 + i % 200);
        names[i][1] = (char)(1 + i / 200);
        list[i] = names[i];
    }
    sl_cursors__match(&c, list, SL_JOURNAL_MAX_OUTPUTS, 3);
    c.next_sequence = 3;
    ck_assert_int_eq(sl_cursors__save(&c, true), 0);
    reload();
    ck_assert_uint_eq(c.count, SL_JOURNAL_MAX_OUTPUTS);
    ck_assert_str_eq(c.list[SL_JOURNAL_MAX_OUTPUTS - 1].name, names[SL_JOURNAL_MAX_OUTPUTS - 1]);
    sl_cursors__close(&c);
}
END_TEST

SL_TEST_MAIN("cursor", cursor__comes_back_as_it_was_saved,
             cursor__a_damaged_slot_falls_back_to_the_synced_one,
             cursor__unsynced_saves_leave_the_synced_slot_alone,
             cursor__both_slots_bad_is_told_zeros_and_nothing_are_not,
             cursor__lengths_and_counts_in_a_slot_are_bounded, cursor__a_failed_save_changes_nothing,
             cursor__absent_outputs_are_kept_for_their_grace,
             cursor__the_most_outputs_with_the_longest_names_fit)
