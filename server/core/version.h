#ifndef CORE_VERSION_H
#define CORE_VERSION_H
#define STATWIT_SERVER_VERSION "0.1.0"
/* Helpers check this number. It changes only when something that they may rely on is taken away or means something else. */
#define STATWIT_API_NUMBER 1
#endif
