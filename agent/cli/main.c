/* main.c: finds the command and hands over; sees to it that descriptors 0 to 2 are what they are taken for,
 * and that output which could not be written is not taken for success. */
#include "cli.h"
#include <errno.h>
#include <sluice/base.h>
#include <sluice/fault.h>
#include <sluice/fs.h>
#include <stdio.h>

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *usage;
    const char *help;
} commands[] = {
    {"run", cmd_run, "-c FILE... [--once]",
     "runs the agent; --once: to the end of every input, then a summary"},
    {"check", cmd_check, "-c FILE...", "validates the configuration, prints its graph or its errors"},
    {"plugins", cmd_plugins, "[NAME]", "lists the plugins, or the options of one"},
    {"schema", cmd_schema, "", "prints the JSON schema of the configuration"},
    {"journal", cmd_journal, "ls|cat|verify",
     "looks into the journals: segments and cursors, records, damage"},
    {"deadletter", cmd_deadletter, "ls|show|replay",
     "shows the records no output would take, sends them again"},
    {"state", cmd_state, "", "prints checkpoints and ids"},
    {"version", cmd_version, "", "prints the version and what it was built with"},
};

static void print_usage(FILE *out)
{
    fputs("usage: sluice COMMAND [...]\n\n", out);
    for (size_t i = 0; i < SL_LEN(commands); i++) {
        char call[64];
        snprintf(call, sizeof call, "%s %s", commands[i].name, commands[i].usage);
        fprintf(out, "  %-28s %s\n", call, commands[i].help);
    }
}

/* A descriptor that the caller has closed would be given to the next file that is opened, a journal say, and
 * records for standard output would go into it. In its place comes one that can be neither read nor written
 * as the real one would be, so that whoever needs it gets an error. */
static void fill_standard_descriptors(void)
{
    int fd;
    do
        fd = sl_fs_open("/dev/null", O_PATH, 0);
    while (fd >= STDIN_FILENO && fd <= STDERR_FILENO);
    if (fd >= 0) sl_fs_close(fd);
}

static int run_command(int argc, char **argv)
{
    if (argc < 2) {
        print_usage(stderr);
        return SL_EXIT_USAGE;
    }
    if (strcmp(argv[1], "help") == 0 || sl_is_help(argv[1])) {
        print_usage(stdout);
        return SL_EXIT_OK;
    }
    if (strcmp(argv[1], "--version") == 0) return cmd_version(argc - 1, argv + 1);
    for (size_t i = 0; i < SL_LEN(commands); i++) {
        if (strcmp(argv[1], commands[i].name) == 0) return commands[i].run(argc - 1, argv + 1);
    }
    fprintf(stderr, "sluice: there is no command `%s`; `sluice help` lists them\n", argv[1]);
    return SL_EXIT_USAGE;
}

int main(int argc, char **argv)
{
    fill_standard_descriptors();
    sl_fault_init();
    int code = run_command(argc, argv);
    if (fflush(stdout) == 0 && !ferror(stdout)) return code;
    fprintf(stderr, "sluice: cannot write to standard output: %s\n", strerror(errno));
    return code == SL_EXIT_OK ? SL_EXIT_FAILED : code;
}
