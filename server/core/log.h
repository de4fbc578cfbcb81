/* Log lines for a person, on stderr. Threads: any; one write per line.
 *
 * Format: "statwit: warning: text". Colour on a terminal unless NO_COLOR is set. Control characters in the text are
 * shown as \xNN, so nothing that was received can drive the terminal.
 */
#ifndef CORE_LOG_H
#define CORE_LOG_H

enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG };

/* Lines above this level are dropped. Default LOG_INFO. Set it before the first thread starts. */
void log_set_level(enum log_level level);
/* -1 when the word is none of: error, warning, info, debug. */
int log_level_of(const char *word);
void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...)   log_line(LOG_ERROR, __VA_ARGS__)
#define log_warning(...) log_line(LOG_WARNING, __VA_ARGS__)
#define log_info(...)    log_line(LOG_INFO, __VA_ARGS__)
#define log_debug(...)   log_line(LOG_DEBUG, __VA_ARGS__)

#endif
