#include "check_main.h"
#include "conf_plugins.h"
#include "config/options.h"
#include "pipeline/conf_graph.h"
#include "pipeline/pipeline_conf.h"
#include "pipeline/pipeline_conf_int.h"
#include <sluice/fs.h>
#include <stdio.h>
#include <stdlib.h>

static char said[16384];
static char dir[256];

/* Writes a file into this test's folder; its path, valid until the next but one call. */
static const char *write_file(const char *name, const char *text)
{
    static char paths[2][600];
    static unsigned turn;
    char *path = paths[turn++ % 2];
    if (!dir[0]) snprintf(dir, sizeof dir, "%s", sl_test_dir());
    snprintf(path, sizeof paths[0], "%s/%s", dir, name);
    ck_assert_int_eq(sl_fs_write_file(path, text, strlen(text), 0600), 0);
    return path;
}

static sl_config *load_paths(const char *const *paths, size_t count)
{
    sl_problems *problems = sl_problems_new();
    sl_config *config = sl_config_load(paths, count, problems);
    sl_buf out = SL_BUF_NONE;
    sl_problems_print(problems, &out);
    snprintf(said, sizeof said, "%s", sl_buf_cstr(&out));
    ck_assert((config == NULL) == (sl_problems_errors(problems) > 0));
    sl_buf_release(&out);
    sl_problems_free(problems);
    return config;
}

static sl_config *load(const char *text)
{
    const char *path = write_file("sluice.yaml", text);
    return load_paths(&path, 1);
}

static const char example[] =
    "service:\n"
    "  data_dir: /tmp/sluice//\n"
    "  http: '[::1]:0'\n"
    "  workers: 3\n"
    "  log: {level: debug, format: json}\n"
    "  shutdown_timeout: 5s\n"
    "inputs:\n"
    "  apps:\n"
    "    tail: {path: [/var/log/a.log, /var/log/b.log]}\n"
    "outputs:\n"
    "  search:\n"
    "    elasticsearch: {url: 'http://es:9200', request: {max_records: 7}}\n"
    "pipelines:\n"
    "  booking:\n"
    "    inputs: [apps, {stdin: {}}]\n"
    "    filters:\n"
    "      - parse: json\n"
    "      - redact: {}\n"
    "      - redact: {detect: email}\n"
    "    outputs:\n"
    "      - search\n"
    "      - stdout: {when: 'level == \"error\"'}\n"
    "      - stdout:\n"
    "      - stdout: {name: third}\n"
    "    buffer: {max_size: 64MiB, fsync: batch, when_full: drop_oldest, max_age: 7d}\n"
    "  other:\n"
    "    inputs: apps\n"
    "    outputs: search\n"
    "    buffer: {type: memory}\n";

START_TEST(pipeline_conf__reads_the_service)
{
    sl_config *config = load(example);
    ck_assert_msg(config != NULL, "%s", said);
    const sl_service_conf *service = &config->service;
    ck_assert_str_eq(service->data_dir, "/tmp/sluice");
    ck_assert(service->http.on && service->http.port == 0);
    ck_assert_str_eq(service->http.host, "::1");
    ck_assert(service->workers == 3 && service->log_level == SL_LOG_DEBUG && service->log_json);
    ck_assert(service->shutdown_timeout_ns == 5 * SL_NS_PER_S && service->n_plugins == 0);
    sl_config_free(config);
}
END_TEST

START_TEST(pipeline_conf__has_defaults_for_the_service)
{
    sl_config *config = load("pipelines: {main: {inputs: {stdin: {}}, outputs: {stdout: {}}}}");
    ck_assert_msg(config != NULL, "%s", said);
    const sl_service_conf *service = &config->service;
    ck_assert_str_eq(service->data_dir, "/var/lib/sluice");
    ck_assert_str_eq(service->http.host, "127.0.0.1");
    ck_assert(service->http.on && service->http.port == 2020 && service->workers == 0 && !service->log_json);
    ck_assert(service->log_level == SL_LOG_INFO && service->shutdown_timeout_ns == 30 * SL_NS_PER_S);
    const sl_journal_conf *buffer = &config->pipelines[0].buffer;
    ck_assert(buffer->type == SL_JOURNAL_DISK && buffer->max_size == UINT64_C(1) << 30 &&
              buffer->segment_size == 64 << 20);
    ck_assert(buffer->fsync == SL_FSYNC_INTERVAL && buffer->fsync_interval_ns == SL_NS_PER_S &&
              buffer->max_age_ns == 0);
    ck_assert(buffer->when_full == SL_FULL_BLOCK && buffer->compress_level == 1);
    ck_assert(buffer->segment_age_ns == 3600 * SL_NS_PER_S);
    sl_config_free(config);
    config = load("service: {http: off}\npipelines: {main: {inputs: {stdin: {}}, outputs: {stdout: {}}}}");
    ck_assert(config && !config->service.http.on);
    sl_config_free(config);
}
END_TEST

START_TEST(pipeline_conf__shares_and_names_uses)
{
    sl_config *config = load(example);
    ck_assert_msg(config != NULL, "%s", said);
    ck_assert_uint_eq(config->n_pipelines, 2);
    const sl_pipeline_conf *booking = &config->pipelines[0], *other = &config->pipelines[1];
    ck_assert_str_eq(booking->name, "booking");
    ck_assert(booking->mark.line == 14 && booking->mark.column == 3);
    ck_assert(booking->inputs.count == 2 && booking->inputs.items[0] == other->inputs.items[0]);
    ck_assert(booking->outputs.items[0] == other->outputs.items[0]);
    ck_assert_str_eq(booking->inputs.items[0]->name, "apps");
    ck_assert_ptr_null(booking->inputs.items[0]->pipeline);
    ck_assert_str_eq(booking->inputs.items[1]->pipeline, "booking");
    static const char *const names[] = {"search", "stdout", "stdout-2", "third"};
    for (size_t i = 0; i < 4; i++)
        ck_assert_str_eq(booking->outputs.items[i]->name, names[i]);
    ck_assert_str_eq(booking->filters.items[2]->name, "redact-2");
    ck_assert(booking->outputs.items[1]->delivery->when && !booking->outputs.items[2]->delivery->when);
    ck_assert_uint_eq(booking->outputs.items[0]->delivery->request.max_records, 7);
    ck_assert_ptr_null(booking->filters.items[0]->delivery);
    ck_assert(config->inputs.count == 2 && config->inputs.items[0] == booking->inputs.items[0]);
    ck_assert(config->outputs.count == 4 && config->outputs.items[0] == booking->outputs.items[0]);
    const conf_tail *tail = config->inputs.items[0]->conf;
    ck_assert(tail->path.count == 2 && tail->max_line == 1 << 20);
    sl_config_free(config);
}
END_TEST

START_TEST(pipeline_conf__reads_buffers)
{
    sl_config *config = load(example);
    ck_assert_msg(config != NULL, "%s", said);
    const sl_journal_conf *disk = &config->pipelines[0].buffer, *memory = &config->pipelines[1].buffer;
    ck_assert(disk->max_size == 64 << 20 &&
              disk->segment_size == 16 << 20); /* the default gives way to a quarter */
    ck_assert(disk->fsync == SL_FSYNC_BATCH && disk->fsync_interval_ns == 0);
    ck_assert(disk->when_full == SL_FULL_DROP_OLDEST && disk->max_age_ns == INT64_C(604800) * SL_NS_PER_S);
    ck_assert(memory->type == SL_JOURNAL_MEMORY && memory->max_size == 8 << 20);
    sl_config_free(config);
}
END_TEST

START_TEST(pipeline_conf__releases_what_check_made_once_a_use)
{
    conf_search_released = 0;
    sl_config_free(load(example));
    ck_assert_int_eq(conf_search_released, 1);
    /* also when check() refused, and when another part is wrong */
    ck_assert_ptr_null(load("pipelines: {m: {inputs: {stdin: {}}, outputs: {elasticsearch: {url: u, auth: "
                            "{user: a, api_key: b}}}}}"));
    ck_assert_int_eq(conf_search_released, 2);
}
END_TEST

START_TEST(pipeline_conf__joins_files_and_folders)
{
    sl_config_free(load("pipelines: {}")); /* makes the folder */
    char conf_d[300], path[400];
    snprintf(conf_d, sizeof conf_d, "%s/conf.d", dir);
    ck_assert_int_eq(sl_fs_mkdirs(conf_d, 0700), 0);
    snprintf(path, sizeof path, "%s/sub.yaml", conf_d);
    ck_assert_int_eq(sl_fs_mkdirs(path, 0700), 0); /* a folder named like a file is passed over */
    const char *base = write_file("base.yaml", "service: {workers: 2}\noutputs: {out: {stdout: {}}}\n");
    write_file("conf.d/20-b.yml",
               "pipelines: {b: {inputs: {stdin: {}}, outputs: out}}\nservice: {http: off}\n");
    write_file("conf.d/10-a.yaml", "pipelines: {a: {inputs: {stdin: {}}, outputs: out}}\n");
    write_file("conf.d/.hidden.yaml", "broken: [\n");
    write_file("conf.d/notes.txt", "broken: [\n");
    char base_path[600];
    snprintf(base_path, sizeof base_path, "%s/base.yaml", dir);
    (void)base;
    snprintf(path, sizeof path, "%s/", conf_d);
    const char *paths[] = {base_path, path};
    sl_config *config = load_paths(paths, 2);
    ck_assert_msg(config != NULL, "%s", said);
    ck_assert(config->n_pipelines == 2 && config->service.workers == 2 && !config->service.http.on);
    ck_assert_str_eq(config->pipelines[0].name, "a");
    ck_assert_str_eq(config->pipelines[1].name, "b");
    ck_assert(config->pipelines[0].outputs.items[0] == config->pipelines[1].outputs.items[0]);
    ck_assert_ptr_nonnull(strstr(config->pipelines[0].mark.file, "conf.d/10-a.yaml"));
    sl_config_free(config);
}
END_TEST

START_TEST(pipeline_conf__names_both_places_of_what_is_defined_twice)
{
    char first[600];
    snprintf(first, sizeof first, "%s",
             write_file("one.yaml", "outputs: {out: {stdout: {}}}\nservice: {workers: 1}\n"));
    const char *second = write_file("two.yaml", "service: {workers: 2}\noutputs:\n  out: {stdout: {}}\n");
    const char *paths[] = {first, second};
    ck_assert_ptr_null(load_paths(paths, 2));
    ck_assert_msg(strstr(said, "two.yaml:3:3: error: `out` in `outputs` is already defined at "), "%s", said);
    ck_assert_msg(strstr(said, "one.yaml:1:11\n"), "%s", said);
    ck_assert_msg(strstr(said, "two.yaml:1:11: error: `workers` in `service` is already defined at "), "%s",
                  said);
}
END_TEST

START_TEST(pipeline_conf__says_which_file_cannot_be_read)
{
    const char *missing[] = {"/no/such/sluice.yaml"};
    ck_assert_ptr_null(load_paths(missing, 1));
    ck_assert_str_eq(said, "/no/such/sluice.yaml: error: cannot read the file: No such file or directory\n"
                           "  hint: check the path behind -c\n");
    ck_assert_ptr_null(load_paths(NULL, 0));
    ck_assert_ptr_nonnull(strstr(said, "there is no configuration"));
    const char *empty = sl_test_dir();
    ck_assert_ptr_null(load_paths(&empty, 1));
    ck_assert_ptr_nonnull(strstr(said, "the folder holds no *.yaml file"));
    const char *path = write_file("sluice.yaml", example);
    const char *twice[] = {path, path};
    ck_assert_ptr_null(load_paths(twice, 2));
    ck_assert_ptr_nonnull(strstr(said, "the file is named twice"));
}
END_TEST

START_TEST(pipeline_conf__warns_of_definitions_that_nothing_uses)
{
    sl_config *config = load("inputs: {unused: {stdin: {}}}\n"
                             "pipelines: {main: {inputs: {stdin: {}}, outputs: {stdout: {}},\n"
                             "  buffer: {type: memory, fsync: batch}}}\n");
    ck_assert_msg(config != NULL, "%s", said);
    ck_assert_ptr_nonnull(
        strstr(said, ":1:10: warning: input `unused` is defined but no pipeline uses it\n"));
    ck_assert_ptr_nonnull(strstr(said, ":3:26: warning: `fsync` does nothing with `type: memory`\n"));
    ck_assert_uint_eq(config->inputs.count, 1);
    sl_config_free(config);
}
END_TEST

START_TEST(pipeline_conf__is_drawn)
{
    sl_config *config = load(example);
    ck_assert_msg(config != NULL, "%s", said);
    sl_buf out = SL_BUF_NONE;
    sl_conf_graph_write(config, &out);
    ck_assert_str_eq(sl_buf_cstr(&out), "pipeline booking\n"
                                        "  apps (tail)  ─┐\n"
                                        "  stdin        ─┤\n"
                                        "                ├─ parse\n"
                                        "                ├─ redact\n"
                                        "                ├─ redact-2 (redact)\n"
                                        "                ├─ journal on disk: 64MiB, fsync after each batch, "
                                        "kept for 1w, then the oldest are dropped\n"
                                        "                ├─> search (elasticsearch)\n"
                                        "                ├─> stdout\n"
                                        "                ├─> stdout-2 (stdout)\n"
                                        "                └─> third (stdout)\n"
                                        "\n"
                                        "pipeline other\n"
                                        "  apps (tail)  ─┐\n"
                                        "                ├─ journal in memory: 8MiB, then inputs wait\n"
                                        "                └─> search (elasticsearch)\n");
    sl_buf_release(&out);
    sl_config_free(config);
}
END_TEST

START_TEST(pipeline_conf__own_tables_are_well_formed)
{
    sl_err err = SL_ERR_NONE;
    ck_assert_msg(sl_options_check(sl_conf__service_rows, 4096, &err) == 0, "%s", err.text);
    ck_assert_msg(sl_options_check(sl_conf__buffer_rows, 4096, &err) == 0, "%s", err.text);
    ck_assert_msg(sl_options_check(sl_conf__input_rows, sizeof(sl_conf__name), &err) == 0, "%s", err.text);
    ck_assert_msg(sl_options_check(sl_conf__output_rows, sizeof(sl_conf__name), &err) == 0, "%s", err.text);
    ck_assert_msg(sl_options_check(sl_delivery_options, sizeof(sl_delivery_conf), &err) == 0, "%s", err.text);
    for (const sl_plugin *const *at = sl_registry__builtin; *at; at++)
        ck_assert_msg(sl_options_check((*at)->options, (*at)->conf_size, &err) == 0, "%s: %s", (*at)->name,
                      err.text);
}
END_TEST

SL_TEST_MAIN("pipeline_conf", pipeline_conf__reads_the_service, pipeline_conf__has_defaults_for_the_service,
             pipeline_conf__shares_and_names_uses, pipeline_conf__reads_buffers,
             pipeline_conf__releases_what_check_made_once_a_use, pipeline_conf__joins_files_and_folders,
             pipeline_conf__names_both_places_of_what_is_defined_twice,
             pipeline_conf__says_which_file_cannot_be_read,
             pipeline_conf__warns_of_definitions_that_nothing_uses, pipeline_conf__is_drawn,
             pipeline_conf__own_tables_are_well_formed)
