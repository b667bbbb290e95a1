/* logger.h: the agent's own log.
 *
 * Libraries never log and return: they return an sl_err, and the owner of the decision logs it, once. Lines
 * go to stderr as text or JSON. Never log a secret or a record's content. Any thread.
 */
#ifndef SLUICE_LOGGER_H
#define SLUICE_LOGGER_H

#include <sluice/base.h>

typedef enum sl_log_level { SL_LOG_DEBUG, SL_LOG_INFO, SL_LOG_WARN, SL_LOG_ERROR } sl_log_level;

extern sl_log_level sl_log_min; /* service.log.level; atomic: a reload may change it */
#define SL_LOG_SHOWS(level) ((level) >= __atomic_load_n(&sl_log_min, __ATOMIC_RELAXED))

void sl_log_init(sl_log_level min, bool json);
/* component: "tail", "journal", "output search": where it happened. */
void sl_log_at(sl_log_level level, const char *component, const char *fmt, ...) SL_PRINTF(3, 4);
#define sl_log(level, component, ...)                                                                        \
    do {                                                                                                     \
        if (SL_LOG_SHOWS(level)) sl_log_at((level), (component), __VA_ARGS__);                               \
    } while (0)
#define sl_debug(component, ...) sl_log(SL_LOG_DEBUG, component, __VA_ARGS__)
#define sl_info(component, ...)  sl_log(SL_LOG_INFO, component, __VA_ARGS__)
#define sl_warn(component, ...)  sl_log(SL_LOG_WARN, component, __VA_ARGS__)
#define sl_error(component, ...) sl_log(SL_LOG_ERROR, component, __VA_ARGS__)

/* For messages that input can cause: at most `burst` lines each `interval_ns`; the next line that passes
 * tells how many were held back. One object a message kind, owned by one thread. Zero-initialised: 5 lines in
 * 10 s. */
typedef struct sl_log_limit {
    int64_t since_ns;
    uint32_t in_window;
    uint32_t held_back;
    uint32_t burst;
    int64_t interval_ns;
} sl_log_limit;
/* True when a line may be printed now; *held is how many were held back since the last one. */
bool sl_log_limit_pass(sl_log_limit *limit, uint32_t *held);
#define sl_log_limited(limit, level, component, fmt, ...)                                                    \
    do {                                                                                                     \
        uint32_t held_;                                                                                      \
        if (SL_LOG_SHOWS(level) && sl_log_limit_pass((limit), &held_)) {                                     \
            if (held_)                                                                                       \
                sl_log_at((level), (component), fmt " (%u like it not shown)", ##__VA_ARGS__, held_);        \
            else                                                                                             \
                sl_log_at((level), (component), fmt, ##__VA_ARGS__);                                         \
        }                                                                                                    \
    } while (0)

#endif
