/* sluice-measure: runs a program on chosen processors and writes what it cost.
 *
 * A program of its own, not the Python runner, because the peak memory that the kernel reports for a child is
 * at least that of the process that forked it; this one is small. SIGTERM and SIGINT are passed on to the
 * program, which is killed should its meter be. */
#include "bench_args.h"

#include <errno.h>
#include <getopt.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char usage[] = "usage: sluice-measure [--cpus LIST] --out FILE -- PROGRAM [ARGUMENT]...\n"
                            "Runs PROGRAM, bound to the processors of LIST (0 or 0,1), and writes "
                            "{\"status\",\"signal\",\"wall_seconds\",\n"
                            "\"user_seconds\",\"system_seconds\",\"peak_bytes\",\"voluntary_switches\","
                            "\"involuntary_switches\"} to FILE. Exits as\n"
                            "PROGRAM does, or with 128 and the signal's number where a signal ended it.\n";

static volatile sig_atomic_t child;

static void on_stop(int number)
{
    if (child > 0) kill((pid_t)child, number);
}

static double seconds(struct timeval value)
{
    return (double)value.tv_sec + (double)value.tv_usec / 1e6;
}

static double monotonic(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void parse_cpus(char *list, cpu_set_t *cpus)
{
    for (char *rest = list, *name; (name = strsep(&rest, ","));)
        CPU_SET(bench_parse_number("--cpus", name, 0, CPU_SETSIZE - 1), cpus);
}

static pid_t start(const cpu_set_t *cpus, char **command, const sigset_t *before)
{
    pid_t pid = fork();
    if (pid < 0) bench_die("starting %s failed", command[0]);
    if (pid > 0) return pid;
    if (prctl(PR_SET_PDEATHSIG, SIGKILL)) bench_die("tying the program to its meter failed");
    if (CPU_COUNT(cpus) && sched_setaffinity(0, sizeof(*cpus), cpus))
        bench_die("binding to the processors failed");
    sigprocmask(SIG_SETMASK, before, NULL);
    execvp(command[0], command);
    bench_die("running %s failed", command[0]);
}

static void report(const char *path, int status, double wall, const struct rusage *use)
{
    FILE *file = fopen(path, "we");
    if (!file) bench_die("opening %s failed", path);
    fprintf(
        file,
        "{\"status\":%d,\"signal\":%d,\"wall_seconds\":%.6f,\"user_seconds\":%.6f,\"system_seconds\":%.6f,"
        "\"peak_bytes\":%lld,\"voluntary_switches\":%ld,\"involuntary_switches\":%ld}\n",
        WIFEXITED(status) ? WEXITSTATUS(status) : -1, WIFSIGNALED(status) ? WTERMSIG(status) : 0, wall,
        seconds(use->ru_utime), seconds(use->ru_stime), (long long)use->ru_maxrss * 1024, use->ru_nvcsw,
        use->ru_nivcsw);
    if (fclose(file)) bench_die("writing %s failed", path);
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"cpus", required_argument, NULL, 'c'},
        {"out", required_argument, NULL, 'o'},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    const char *out = NULL;
    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    for (int letter; (letter = getopt_long(argc, argv, "+", options, NULL)) != -1;) {
        switch (letter) {
        case 'c': parse_cpus(optarg, &cpus); break;
        case 'o': out = optarg; break;
        case 'h': fputs(usage, stdout); return 0;
        default: return 2;
        }
    }
    if (!out || optind == argc) bench_usage_error("--out and a program are needed; try --help");

    /* Stops are held back until there is a child to pass them to. */
    sigset_t stops, before;
    sigemptyset(&stops);
    sigaddset(&stops, SIGTERM);
    sigaddset(&stops, SIGINT);
    sigprocmask(SIG_BLOCK, &stops, &before);

    double started = monotonic();
    child = start(&cpus, argv + optind, &before);
    struct sigaction action = {.sa_handler = on_stop};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    sigprocmask(SIG_SETMASK, &before, NULL);
    struct rusage use;
    int status;
    while (wait4((pid_t)child, &status, 0, &use) < 0)
        if (errno != EINTR) bench_die("waiting for %s failed", argv[optind]);
    report(out, status, monotonic() - started, &use);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
