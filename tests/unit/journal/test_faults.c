/* Every call of the door fails in turn, the process is killed, the power goes: no frame that was accepted is
 * lost by a kill, none that was told safe by the power, none comes twice, and the journal works on.
 */
#include "check_main.h"
#include "power_kit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static kit k;
static kit_seen seen;
static uint64_t of_frame[4096]; /* number of the first record of each frame, by sequence */
static uint32_t in_frame[4096];
static uint64_t acked;

static void begin(void)
{
    sl_clock_fake(1000 * SL_NS_PER_S);
    kit_init(&k);
    k.conf.compress_level = 0;
    k.conf.segment_size = 1; /* as small as they get */
    memset(in_frame, 0, sizeof(in_frame));
    acked = 1;
}

static void append(uint32_t records)
{
    uint64_t number = k.number;
    if (kit_append(&k, records) != 0) return;
    of_frame[k.appended] = number;
    in_frame[k.appended] = records;
}

static void ack(uint64_t next)
{
    if (next <= acked || next > sl_journal_next(k.journal)) return;
    acked = next;
    sl_journal_ack(k.journal, 0, next);
}

static void pass_time(void)
{
    sl_clock_advance(SL_DISK_RETRY_MAX_NS);
    sl_journal_tick(k.journal, sl_clock_mono_ns());
}

/* Frames [acked, end) are all there, once each. */
static void check(uint64_t end)
{
    uint64_t from = sl_journal_first(k.journal, 0);
    kit_read(&k, from, &seen);
    for (uint64_t sequence = acked; sequence < end; sequence++)
        for (uint32_t i = 0; i < in_frame[sequence]; i++)
            if (seen.count[of_frame[sequence] + i] != 1)
                ck_abort_msg("frame %llu of [%llu, %llu) was read %u times", (unsigned long long)sequence,
                             (unsigned long long)acked, (unsigned long long)end,
                             seen.count[of_frame[sequence] + i]);
    for (size_t n = 0; n < SL_LEN(seen.count); n++)
        if (seen.count[n] > 1) ck_abort_msg("record %zu was read twice", n);
}

/* Some of everything: appends, rolls, acknowledgements, deletions, saves. */
static void run_script(void)
{
    for (int i = 1; i <= 24; i++) {
        append(60 + (uint32_t)i * 7);
        if (i % 5 == 0) ack(k.appended - 2);
        if (i % 6 == 0) pass_time();
    }
}

static uint64_t count_calls(disk_call calls, int fsync)
{
    begin();
    k.conf.fsync = fsync;
    kit_open(&k);
    disk_fail(calls, 1, 0, 0, false);
    run_script();
    uint64_t n = disk_calls();
    disk_heal();
    kit_release(&k);
    return n;
}

static void check_one_fault(disk_call calls, uint64_t at, uint64_t times, int error, bool short_write,
                            int fsync)
{
    begin();
    k.conf.fsync = fsync;
    ck_assert(kit_open(&k));
    disk_fail(calls, at, times, error, short_write);
    run_script();
    disk_heal();
    pass_time();
    append(10);
    ck_assert_uint_gt(in_frame[k.appended], 0);
    check(sl_journal_next(k.journal));
    kit_kill(&k);
    ck_assert(kit_open(&k));
    check(sl_journal_next(k.journal));
    ck_assert_uint_eq(seen.lost, 0);
    append(10);
    check(sl_journal_next(k.journal));
    kit_release(&k);
}

static const int errors[] = {EIO, ENOSPC, EMFILE, EACCES};

/* How often each kind is called at all. */
static uint64_t check_each_call(disk_call calls, uint64_t times)
{
    uint64_t n = count_calls(calls, SL_FSYNC_BATCH);
    for (uint64_t at = 1; at <= n; at++)
        check_one_fault(calls, at, times, errors[at % SL_LEN(errors)], false, SL_FSYNC_BATCH);
    return n;
}

static void check_every_call(uint64_t times)
{
    uint64_t called = 0;
    for (disk_call call = 1; call & DISK_ANY; call <<= 1)
        if (check_each_call(call, times)) called |= call;
    ck_assert_uint_eq(called, DISK_OPEN | DISK_WRITE | DISK_SYNC | DISK_UNLINK | DISK_CLOSE);
}

START_TEST(faults__every_call_fails_once)
{
    check_every_call(1);
}
END_TEST

START_TEST(faults__every_call_fails_for_ever)
{
    check_every_call(UINT64_MAX);
}
END_TEST

START_TEST(faults__every_write_is_short_once)
{
    uint64_t n = count_calls(DISK_WRITE, SL_FSYNC_BATCH);
    for (uint64_t at = 1; at <= n; at++)
        check_one_fault(DISK_WRITE, at, 1, ENOSPC, true, SL_FSYNC_BATCH);
}
END_TEST

START_TEST(faults__a_short_write_that_can_not_be_cut)
{
    uint64_t n = count_calls(DISK_WRITE, SL_FSYNC_INTERVAL);
    for (uint64_t at = 1; at <= n; at++)
        check_one_fault(DISK_WRITE | DISK_TRUNCATE, at, 2, EIO, true, SL_FSYNC_INTERVAL);
}
END_TEST

START_TEST(faults__everything_fails_for_a_while)
{
    uint64_t n = count_calls(DISK_ANY, SL_FSYNC_INTERVAL);
    for (uint64_t at = 1; at <= n; at += 3)
        check_one_fault(DISK_ANY, at, 17, at % 2 ? EIO : ENOSPC, at % 4 == 0, SL_FSYNC_INTERVAL);
}
END_TEST

/* What a run has left that was killed: a segment without its seal. Returns the sequence behind its last
 * frame.
 */
static uint64_t leave_a_journal(void)
{
    begin();
    kit_open(&k);
    run_script();
    kit_kill(&k);
    return k.appended + 1;
}

/* Also a disk that is still mended while opening refuses no more than this. */
START_TEST(faults__opening_goes_on_whatever_fails)
{
    for (uint64_t at = 1;; at++) {
        uint64_t end = leave_a_journal();
        disk_fail(DISK_WRITE | DISK_SYNC | DISK_TRUNCATE | DISK_UNLINK | DISK_RENAME | DISK_ALLOCATE |
                      DISK_CLOSE,
                  at, 1, EIO, false);
        ck_assert_msg(kit_open(&k), "%s", k.err.text);
        bool failed = disk_failed();
        disk_heal();
        check(end);
        append(10);
        check(sl_journal_next(k.journal));
        kit_release(&k);
        if (!failed) break;
        ck_assert_uint_lt(at, 100);
    }
}
END_TEST

/* What can't be looked at may keep the journal from opening, or take a segment out of sight for this run; the
 * error names the folder, and nothing is lost by it. */
static bool check_opening(disk_call calls, uint64_t at, uint64_t times, int error)
{
    uint64_t end = leave_a_journal();
    disk_fail(calls, at, times, error, false);
    bool opened = kit_open(&k);
    bool failed = disk_failed();
    disk_heal();
    if (!opened) ck_assert_msg(strstr(k.err.text, k.dir) != NULL, "%s", k.err.text);
    if (opened) kit_kill(&k);
    ck_assert_msg(kit_open(&k), "%s", k.err.text);
    check(end);
    append(10);
    check(sl_journal_next(k.journal));
    kit_release(&k);
    return failed;
}

START_TEST(faults__opening_that_fails_loses_nothing)
{
    size_t e = 0;
    for (disk_call call = 1; call & DISK_ANY; call <<= 1)
        for (uint64_t at = 1; check_opening(call, at, 1, errors[e++ % SL_LEN(errors)]); at++)
            check_opening(call, at, UINT64_MAX, errors[e % SL_LEN(errors)]);
}
END_TEST

/* ---- the process ends at any call ---- */

START_TEST(faults__a_kill_at_any_call_loses_nothing)
{
    for (int fsync = SL_FSYNC_BATCH; fsync <= SL_FSYNC_OFF; fsync++) {
        uint64_t n = count_calls(DISK_ANY, fsync);
        ck_assert_uint_gt(n, 50);
        for (uint64_t at = 1; at <= n; at++) {
            begin();
            k.conf.fsync = fsync;
            ck_assert(kit_open(&k));
            disk_fail(DISK_ANY, at, UINT64_MAX, EIO, at % 2);
            run_script();
            kit_kill(&k);
            ck_assert(kit_open(&k));
            check(k.safe + 1);
            ck_assert_uint_eq(seen.lost, 0);
            kit_release(&k);
        }
    }
}
END_TEST

START_TEST(faults__a_kill_at_any_call_of_opening_loses_nothing)
{
    for (uint64_t at = 1;; at++) {
        uint64_t end = leave_a_journal();
        disk_fail(DISK_ANY, at, UINT64_MAX, EIO, at % 2);
        bool opened = kit_open(&k), failed = disk_failed();
        if (opened) kit_kill(&k);
        disk_heal();
        ck_assert_msg(kit_open(&k), "%s", k.err.text);
        check(end);
        kit_release(&k);
        if (!failed) break;
        ck_assert_uint_lt(at, 300);
    }
}
END_TEST

/* ---- the power goes ---- */

static uint64_t seed;
static uint64_t roll_dice(uint64_t sides)
{
    seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
    return seed % sides;
}

static void do_something(void)
{
    static const disk_call calls[] = {
        DISK_SYNC, DISK_SYNC, DISK_WRITE, DISK_ANY, DISK_OPEN, DISK_RENAME, DISK_WRITE | DISK_TRUNCATE};
    switch (roll_dice(12)) {
    case 0: ack(acked + roll_dice(4)); break;
    case 1: ack(sl_journal_next(k.journal) - roll_dice(2)); break;
    case 2:
    case 3: pass_time(); break;
    case 4:
        power_fail(calls[roll_dice(SL_LEN(calls))], 1 + roll_dice(4), 1 + roll_dice(3),
                   roll_dice(2) ? EIO : ENOSPC);
        break;
    case 5: power_fail(0, 0, 0, 0); break;
    default: append(20 + (uint32_t)roll_dice(300)); break;
    }
}

static void check_power_cut(bool any)
{
    begin();
    k.conf.fsync = roll_dice(2) ? SL_FSYNC_BATCH : SL_FSYNC_INTERVAL;
    uint64_t end = 1;
    power_begin(NULL);
    ck_assert(kit_open(&k));
    for (int round = 0; round < 3; round++) {
        for (uint64_t i = 5 + roll_dice(40); i > 0; i--)
            do_something();
        char left[256];
        if (end <= k.safe) end = k.safe + 1;
        power_fail(0, 0, 0, 0);
        if (any)
            power_cut_any(k.dir, roll_dice, left);
        else
            power_cut(left);
        power_end();
        kit_kill(&k);
        snprintf(k.dir, sizeof(k.dir), "%s", left);
        power_begin(k.dir);
        ck_assert_msg(kit_open(&k), "%s", k.err.text);
        if (acked > sl_journal_next(k.journal)) acked = sl_journal_next(k.journal);
        check(end);
        /* what was never safe may be gone, and its sequence given again */
        for (uint64_t s = end; s < SL_LEN(in_frame); s++)
            if (!seen.count[of_frame[s]]) in_frame[s] = 0;
    }
    power_end();
    kit_release(&k);
}

START_TEST(faults__what_was_safe_survives_the_power)
{
    const char *only = getenv("SEED");
    for (uint64_t i = 1; i <= 300; i++) {
        seed = i * 0x9E3779B97F4A7C15u;
        if (only && strtoull(only, NULL, 10) != i) continue;
        check_power_cut(false);
    }
}
END_TEST

START_TEST(faults__whatever_else_survives_the_power_does_no_harm)
{
    const char *only = getenv("SEED");
    for (uint64_t i = 1; i <= 300; i++) {
        seed = i * 0xD1B54A32D192ED03u;
        if (only && strtoull(only, NULL, 10) != i) continue;
        check_power_cut(true);
    }
}
END_TEST

/* Two frames are synced, two are not: each subset of the pieces of those, cut at the end of each. */
#define PIECES 10

static void check_subset(const char *bytes, size_t safe_len, size_t len, unsigned subset, size_t cut)
{
    size_t piece = (len - safe_len + PIECES - 1) / PIECES;
    char *left = calloc(1, len);
    memcpy(left, bytes, safe_len);
    for (size_t i = 0; i < PIECES; i++) {
        size_t at = safe_len + i * piece, end = at + piece < len ? at + piece : len;
        if (subset & 1u << i && at < end) memcpy(left + at, bytes + at, end - at);
    }
    kit_empty_dir(k.dir, ".seg");
    kit_write_file(kit_segment(&k, 1), left, cut);
    ck_assert_msg(kit_open(&k), "%s", k.err.text);
    kit_read(&k, 1, &seen);
    for (uint64_t n = 0; n < 4; n++)
        ck_assert_msg(seen.count[n] == 1 || (n >= 2 && seen.count[n] == 0),
                      "subset %x, cut at %zu: record %llu is there %u times", subset, cut,
                      (unsigned long long)n, seen.count[n]);
    bool whole = seen.records == 4 || (cut == safe_len && seen.records == 2);
    ck_assert_msg(whole || k.report.first_problem[0],
                  "subset %x, cut at %zu: %llu records, and nothing is said", subset, cut,
                  (unsigned long long)seen.records);
    kit_kill(&k);
    free(left);
}

START_TEST(faults__each_subset_of_what_was_not_synced_is_told_from_what_was)
{
    size_t safe_len, len;
    begin();
    kit_open(&k);
    kit_append(&k, 1);
    kit_append(&k, 1);
    free(kit_read_file(kit_segment(&k, 1), &safe_len));
    kit_append(&k, 1);
    kit_append(&k, 1);
    char *bytes = kit_read_file(kit_segment(&k, 1), &len);
    kit_kill(&k);
    for (unsigned subset = 0; subset < 1u << PIECES; subset++)
        for (size_t cut = safe_len; cut <= len; cut += subset % 16 ? (len - safe_len) / 3 : 7)
            check_subset(bytes, safe_len, len, subset, cut);
    free(bytes);
    kit_release(&k);
}
END_TEST

SL_TEST_MAIN("faults", faults__every_call_fails_once, faults__every_call_fails_for_ever,
             faults__every_write_is_short_once, faults__a_short_write_that_can_not_be_cut,
             faults__everything_fails_for_a_while, faults__opening_goes_on_whatever_fails,
             faults__opening_that_fails_loses_nothing, faults__a_kill_at_any_call_loses_nothing,
             faults__a_kill_at_any_call_of_opening_loses_nothing, faults__what_was_safe_survives_the_power,
             faults__whatever_else_survives_the_power_does_no_harm,
             faults__each_subset_of_what_was_not_synced_is_told_from_what_was)
