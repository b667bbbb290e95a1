/* Records as a Python health checker writes them with loguru and json.dumps: blanks after ':' and ',', ISO
 * dates with microseconds and an offset, a traceback in one of fifty. */
#include "corpus_pen.h"

static const corpus_word checks[] = {CORPUS_WORD("database"),       CORPUS_WORD("redis_cache"),
                                     CORPUS_WORD("object_storage"), CORPUS_WORD("payment_gateway"),
                                     CORPUS_WORD("email_service"),  CORPUS_WORD("disk_space")};
static const corpus_word operations[] = {CORPUS_WORD("run_check"), CORPUS_WORD("collect_metrics"),
                                         CORPUS_WORD("refresh_cache"), CORPUS_WORD("aggregate_status")};

static void put_head(corpus_pen *pen, const char *level, size_t level_len)
{
    PEN_LIT(pen, "{\"timestamp\": \"");
    pen_second(pen, 'T');
    PEN_LIT(pen, ".");
    pen_fraction(pen, 6);
    PEN_LIT(pen, "+00:00\", \"level\": \"");
    pen_bytes(pen, level, level_len);
    PEN_LIT(pen,
            "\", \"service\": \"health-checker\", \"version\": \"1.0.0\", \"environment\": \"production\", "
            "\"component\": \"health_checker\", \"operation\": \"");
    CORPUS_PICK(pen, operations);
    PEN_LIT(pen, "\", ");
    pen_number(pen, " ");
}

static void put_place(corpus_pen *pen)
{
    PEN_LIT(pen, "\"module\": \"checker\", \"function\": \"execute\", \"line\": ");
    pen_u64(pen, 40 + rng_below(pen, 400));
    PEN_LIT(pen, ", \"process_id\": 4711, \"thread_id\": 1399");
    pen_padded(pen, rng_below(pen, 16) * 4096, 11);
    PEN_LIT(pen, ", \"correlation_id\": \"");
    pen_hex(pen, 8);
    PEN_LIT(pen, "\"");
}

static void failed_check(corpus_pen *pen)
{
    put_head(pen, "ERROR", 5);
    PEN_LIT(pen, "\"message\": \"Failed run_check after 5000.12ms: timed out\", ");
    put_place(pen);
    PEN_LIT(pen, ", \"check_name\": \"");
    CORPUS_PICK(pen, checks);
    PEN_LIT(pen,
            "\", \"critical\": true, \"exception\": {\"type\": \"TimeoutError\", \"value\": \"timed out\", "
            "\"traceback\": \"Traceback (most recent call last):\\n  File "
            "\\\"/app/src/health/checker.py\\\", line ");
    pen_u64(pen, 100 + rng_below(pen, 300));
    PEN_LIT(pen,
            ", in execute\\n    await asyncio.wait_for(check(), timeout=5)\\nTimeoutError: timed out\"}}");
}

static void completed_check(corpus_pen *pen)
{
    int warn = rng_below(pen, 20) == 0;
    put_head(pen, warn ? "WARNING" : "INFO", warn ? 7 : 4);
    PEN_LIT(pen, "\"message\": \"Completed check\", ");
    put_place(pen);
    PEN_LIT(pen, ", \"check_name\": \"");
    CORPUS_PICK(pen, checks);
    PEN_LIT(pen, "\", \"status\": \"healthy\", \"response_time\": ");
    pen_u64(pen, rng_below(pen, 500));
    PEN_LIT(pen, ".");
    pen_padded(pen, rng_below(pen, 1000), 3);
    PEN_LIT(pen, ", \"critical\": false, \"cache_hit_rate\": 0.");
    pen_padded(pen, rng_below(pen, 1000), 3);
    PEN_LIT(pen, ", \"total_checks\": 15, \"failed_checks\": 0, \"tags\": [\"prod\", \"eu\"]}");
}

void corpus_loguru(corpus_pen *pen)
{
    if (rng_below(pen, 50) == 0)
        failed_check(pen);
    else
        completed_check(pen);
}
