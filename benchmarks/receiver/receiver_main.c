/* sluice-receiver: stands where Elasticsearch would, and checks what comes. Prints its counts as JSON when
 * stopped. */
#include "bench_args.h"
#include "server.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] = "usage: sluice-receiver [--port N] [--port-file FILE] [--mode bulk|null] "
                            "[--number member|query] [--check N]\n"
                            "                       [--latency] [--canaries FILE]\n"
                            "Answers Elasticsearch's bulk API on 127.0.0.1 and counts each record by its "
                            "number, \"n\":123 (with --number query,\n"
                            "?n=123). --port 0 (the default) takes a free port and --port-file tells which. "
                            "--check N expects the numbers 0 to\n"
                            "N-1. --mode null only counts bytes. --latency measures from \"t\":<ns since "
                            "1970> to the whole request.\n"
                            "--canaries counts occurrences of any line of FILE. Counts are at GET /__stats, "
                            "and on stdout after SIGTERM.\n";

typedef struct settings {
    uint16_t port;
    const char *port_file;
    bool expecting;
    uint64_t expected;
    const char *canaries;
    bulk_rules rules;
} settings;

static bool choose(const char *option, const char *value, const char *no, const char *yes)
{
    if (strcmp(value, no) != 0 && strcmp(value, yes) != 0)
        bench_usage_error("%s %s is unknown; give %s or %s", option, value, no, yes);
    return strcmp(value, yes) == 0;
}

static void parse_options(settings *set, int argc, char **argv)
{
    static const struct option options[] = {
        {"port", required_argument, NULL, 'p'},
        {"port-file", required_argument, NULL, 'f'},
        {"mode", required_argument, NULL, 'm'},
        {"number", required_argument, NULL, 'n'},
        {"check", required_argument, NULL, 'c'},
        {"latency", no_argument, NULL, 'l'},
        {"canaries", required_argument, NULL, 's'},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    for (int letter; (letter = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (letter) {
        case 'p': set->port = (uint16_t)bench_parse_number("--port", optarg, 0, 65535); break;
        case 'f': set->port_file = optarg; break;
        case 'm': set->rules.only_bytes = choose("--mode", optarg, "bulk", "null"); break;
        case 'n': set->rules.as_query = choose("--number", optarg, "member", "query"); break;
        case 'c':
            set->expecting = true;
            set->expected = bench_parse_number("--check", optarg, 0, TALLY_MAX_NUMBER);
            break;
        case 'l': set->rules.latency = true; break;
        case 's': set->canaries = optarg; break;
        case 'h': fputs(usage, stdout); exit(0);
        default: exit(2);
        }
    }
    if (optind != argc) bench_usage_error("%s is not an option; try --help", argv[optind]);
}

/* Written beside and renamed, so that whoever waits for the file never reads half a number. */
static void write_port(const char *path, uint16_t port)
{
    char *beside;
    if (asprintf(&beside, "%s.new", path) < 0) bench_die("naming %s failed", path);
    FILE *file = fopen(beside, "we");
    if (!file || fprintf(file, "%u\n", port) < 0 || fclose(file) || rename(beside, path))
        bench_die("writing %s failed", path);
    free(beside);
}

int main(int argc, char **argv)
{
    static tally counts;
    settings set = {.rules.counts = &counts};
    parse_options(&set, argc, argv);
    tally_init(&counts, set.expecting, set.expected);
    needles *canaries = set.canaries ? needles_load(set.canaries) : NULL;
    set.rules.canaries = canaries;
    server *srv = server_new(&set.rules, &set.port);
    if (set.port_file) write_port(set.port_file, set.port);
    server_run(srv);
    char stats[1024];
    tally_format(&counts, stats, sizeof(stats));
    fputs(stats, stdout);
    server_free(srv);
    needles_free(canaries);
    tally_release(&counts);
    return 0;
}
