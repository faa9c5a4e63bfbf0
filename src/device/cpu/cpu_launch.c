/* cpu_launch.c - a launch on the processor: the kernel's native function, or its text as C, group after group on all threads. */
#include <stdatomic.h>

#include "device/cpu/cpu_state.h"

/* ---- crews rest between launches ---- */

static moho_status take_crew(moho_cpu_state *cpu, uint32_t lanes, moho_crew **out) {
  *out = NULL;
  pthread_mutex_lock(&cpu->lock);
  for (int i = cpu->n_crews; i-- > 0 && !*out;)
    if (moho_crew_lanes(cpu->crews[i]) >= lanes) {
      *out = cpu->crews[i];
      cpu->crews[i] = cpu->crews[--cpu->n_crews];
    }
  pthread_mutex_unlock(&cpu->lock);
  return *out ? MOHO_OK : moho_crew_create(lanes, out);
}

static void rest_crew(moho_cpu_state *cpu, moho_crew *crew) {
  pthread_mutex_lock(&cpu->lock);
  int kept = cpu->n_crews < (int)(sizeof cpu->crews / sizeof *cpu->crews);
  if (kept) cpu->crews[cpu->n_crews++] = crew;
  pthread_mutex_unlock(&cpu->lock);
  if (!kept) moho_crew_destroy(crew);
}

void moho_cpu_crews_destroy(moho_cpu_state *cpu) {
  while (cpu->n_crews) moho_crew_destroy(cpu->crews[--cpu->n_crews]);
}

/* ---- groups on threads ---- */

/* What the threads of a launch share. */
typedef struct shared_launch {
  moho_cpu_state *cpu;
  const moho_group_launch *launch;
  int uses_group;
  atomic_ullong next; /* group */
  atomic_int failed;
  pthread_mutex_t lock;
  moho_error error; /* of the first that failed */
} shared_launch;

static void note_failure(shared_launch *shared) {
  pthread_mutex_lock(&shared->lock);
  if (!atomic_exchange(&shared->failed, 1)) shared->error = *moho_last_error();
  pthread_mutex_unlock(&shared->lock);
}

static moho_status run_groups(shared_launch *shared, moho_crew *crew) {
  const moho_group_launch *launch = shared->launch;
  unsigned long long n = (unsigned long long)launch->groups[0] * launch->groups[1], g;
  while (!atomic_load_explicit(&shared->failed, memory_order_relaxed) && (g = atomic_fetch_add(&shared->next, 1)) < n) {
    uint32_t x = (uint32_t)(g % launch->groups[0]), y = (uint32_t)(g / launch->groups[0]);
    if (crew) MOHO_TRY(moho_crew_run(crew, x, y));
    else MOHO_TRY(moho_group_run_plain(launch, x, y));
  }
  return MOHO_OK;
}

static moho_status run_with_crew(shared_launch *shared) {
  moho_crew *crew;
  MOHO_TRY(take_crew(shared->cpu, shared->launch->lanes, &crew));
  moho_status status = moho_crew_begin(crew, shared->launch);
  if (!status) status = run_groups(shared, crew);
  if (!status) status = moho_crew_end(crew);
  rest_crew(shared->cpu, crew);
  return status;
}

static moho_status run_text(moho_cpu_state *cpu, const moho_group_launch *launch, int uses_group) {
  shared_launch shared = {.cpu = cpu, .launch = launch, .uses_group = uses_group, .lock = PTHREAD_MUTEX_INITIALIZER};
  unsigned long long n = (unsigned long long)launch->groups[0] * launch->groups[1];
  int threads = n < (unsigned long long)cpu->threads ? (int)n : cpu->threads;
#pragma omp parallel num_threads(threads) if (threads > 1)
  if (uses_group ? run_with_crew(&shared) : run_groups(&shared, NULL)) note_failure(&shared);
  pthread_mutex_destroy(&shared.lock);
  return shared.failed ? moho_error_set(&shared.error) : MOHO_OK;
}

moho_status moho_cpu_launch(moho_cpu_state *cpu, const moho_command *command) {
  const moho_kernel_definition *definition = command->pipeline->definition;
  void *buffers[MOHO_LAUNCH_BUFFERS] = {0};
  for (uint32_t i = 0; i < command->n_buffers; i++) {
    const moho_span *span = &command->buffers[i];
    buffers[i] = (char *)span->block->host + span->offset;
  }
  if (definition->native) {
    definition->native(buffers, command->parameters, command->groups, command->lanes);
    return MOHO_OK;
  }
  moho_group_launch launch = {.name = command->name,
                              .function = definition->c,
                              .buffers = buffers,
                              .parameters = command->parameters,
                              .groups = {command->groups[0], command->groups[1]},
                              .lanes = command->lanes,
                              .group_memory = command->group_memory};
  return run_text(cpu, &launch, definition->uses_group);
}
