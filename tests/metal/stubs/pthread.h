/* pthread.h - of macOS, as far as src/device/metal needs it to be checked without an SDK (scripts/check_metal.sh). */
#ifndef MOHO_STUB_PTHREAD_H
#define MOHO_STUB_PTHREAD_H
typedef struct pthread_mutex_stub {
  long signature;
  char opaque[56];
} pthread_mutex_t;
typedef struct pthread_mutexattr_stub {
  long signature;
  char opaque[8];
} pthread_mutexattr_t;
typedef struct pthread_once_stub {
  long signature;
  char opaque[8];
} pthread_once_t;
#define PTHREAD_ONCE_INIT \
  {                       \
    0x30B1BCBA, {         \
      0                   \
    }                     \
  }
int pthread_once(pthread_once_t *once, void (*function)(void));
int pthread_mutex_init(pthread_mutex_t *mutex, const pthread_mutexattr_t *attributes);
int pthread_mutex_lock(pthread_mutex_t *mutex);
int pthread_mutex_unlock(pthread_mutex_t *mutex);
int pthread_mutex_destroy(pthread_mutex_t *mutex);
#endif
