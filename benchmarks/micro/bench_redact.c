/* Redaction on the winston corpus, indexed before: finding secrets and making the edits that take them out,
 * with the rules of the main job, with the defaults, and with parts of them. The limit is for the main job's.
 */
#include "bench.h"
#include "bench_args.h"

#include "../../plugins/filters/redact/redact_int.h"
#include "config/options.h"

#include <sluice/plugin.h>

#include <stdlib.h>

#define CORPUS_BYTES (32u << 20)

extern const sl_plugin sl_filter_redact;

typedef struct work {
    bench_corpus corpus;
    sl_tape tape;    /* the tokens of all records, one record after another */
    uint32_t *first; /* of each record's tokens; first[count] is all */
    redact *core;    /* of the rules that are timed */
} work;

static sl_span record_at(const work *env, size_t i)
{
    const uint32_t *starts = env->corpus.starts;
    return (sl_span){env->corpus.text + starts[i], starts[i + 1] - starts[i] - 1};
}

static void index_all(work *env)
{
    env->first = bench_alloc((env->corpus.count + 1) * sizeof *env->first);
    for (size_t i = 0; i < env->corpus.count; i++) {
        env->first[i] = env->tape.len;
        if (sl_json_index(&env->tape, record_at(env, i)).error)
            bench_usage_error("record %zu is not JSON", i);
    }
    env->first[env->corpus.count] = env->tape.len;
}

static uint64_t redact_all(void *context)
{
    work *env = context;
    uint64_t edits = 0;
    for (size_t i = 0; i < env->corpus.count; i++) {
        const redact_edits *made = redact_text(env->core, record_at(env, i), env->tape.tok + env->first[i],
                                               env->first[i + 1] - env->first[i]);
        if (!made) bench_usage_error("out of memory");
        edits += made->count;
    }
    return edits;
}

static void read_options(redact_conf *conf, sl_conf_memory *memory, const char *yaml)
{
    sl_err err = SL_ERR_NONE;
    sl_problems *problems = sl_problems_new();
    sl_option_context ctx = {problems, memory};
    sl_option_target target = {sl_filter_redact.options, conf};
    sl_problems_add_source(problems, "bench", sl_span_of(yaml));
    sl_node *node = sl_yaml_parse(&memory->arena, "bench", sl_span_of(yaml), false, problems);
    if (node) sl_options_read(&ctx, node, node->mark, "filter `redact`", &target, 1);
    if (sl_problems_errors(problems) || sl_filter_redact.check(conf, &err) != 0)
        bench_usage_error("the rules %s are not understood %s", yaml, err.text);
    sl_problems_free(problems);
}

static void bench(work *env, const char *name, const char *yaml, double limit)
{
    sl_err err = SL_ERR_NONE;
    redact_conf conf = {0};
    sl_conf_memory *memory = sl_conf_memory_new();
    read_options(&conf, memory, yaml);
    env->core = redact_new(conf.rules, &err);
    if (!env->core) bench_usage_error("%s", err.text);
    bench_run_beside(name, redact_all, env, env->corpus.len, env->corpus.count, limit);
    redact_free(env->core);
    sl_filter_redact.conf_release(&conf);
    sl_conf_memory_free(memory);
}

int main(void)
{
    static const char keys[] =
        "{keys: [authorization, x-api-key, cookie, password, token, secret], detect: none}";
    static const char contents[] = "{keys: [], detect: [email, card, jwt, bearer]}";
    static const char main_job[] = "{keys: [authorization, x-api-key, cookie, password, token, secret], "
                                   "detect: [email, card, jwt, bearer]}";
    work env = {.corpus = bench_corpus_load("winston", CORPUS_BYTES)};
    index_all(&env);
    bench_heading("redaction, winston corpus");
    bench(&env, "six keys", keys, 0);
    bench(&env, "email, card, jwt, bearer", contents, 0);
    bench(&env, "both: the main job", main_job, BENCH_LIMIT_REDACT);
    bench(&env, "the defaults", "{}", 0);
    bench(&env, "every detector", "{detect: all}", 0);
    sl_tape_release(&env.tape);
    free(env.first);
    bench_corpus_release(&env.corpus);
    return 0;
}
