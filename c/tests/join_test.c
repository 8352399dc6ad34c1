/* Joining: peers that come, die, hang and are too few or too many, in one process tree without
 * containers. A peer's container is a pair of empty namespaces, its command waits to be let go. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../init/join.h"
#include "../init/message.h"
#include "check.h"

#define PEERS_MAX 64

enum progress { STARTED, BUILDING, JOINED };

/* What a peer tells of itself, and is told. */
struct report {
    volatile int progress;
    volatile int won;
    volatile ino_t place; /* its mount namespace */
    volatile int may_build;
    volatile int may_end;
    pid_t pid;
};

static struct report *reports;
static char tag[64];
static unsigned seed;

static void sleep_us(long us)
{
    const struct timespec time = {.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};
    nanosleep(&time, NULL);
}

static ino_t own_place(void)
{
    struct stat st;
    return stat("/proc/self/ns/mnt", &st) < 0 ? 0 : st.st_ino;
}

static void wait_for(const volatile int *flag)
{
    while (!*flag)
        sleep_us(500);
}

__attribute__((noreturn)) static void be_peer(struct report *self, int count, long delay)
{
    struct join join;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    sleep_us(delay);
    if (join_begin(&join, tag, count)) {
        self->won = 1;
        self->progress = BUILDING;
        wait_for(&self->may_build);
        if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
            _exit(1);
    }
    join_finish(&join);
    self->place = own_place();
    self->progress = JOINED;
    wait_for(&self->may_end);
    _exit(0);
}

static void start_peer(int i, int count, long delay, bool may_build)
{
    pid_t pid;

    reports[i] = (struct report){.may_build = may_build};
    pid = fork();
    if (pid == 0)
        be_peer(&reports[i], count, delay);
    reports[i].pid = pid; /* not in the child, which shares them */
}

/* Tenths of seconds are plenty; a busy machine gets tens of seconds. */
static bool comes(bool (*is_so)(int), int argument)
{
    for (int i = 0; i < 20000; i++) {
        if (is_so(argument))
            return true;
        sleep_us(1000);
    }
    return false;
}

static bool is_joined(int i)
{
    return reports[i].progress == JOINED;
}

static bool is_building(int i)
{
    return reports[i].progress == BUILDING;
}

static bool is_named(const char *prefix)
{
    char path[128];

    snprintf(path, sizeof(path), "/dev/shm/%s%s", prefix, tag);
    return access(path, F_OK) == 0;
}

static bool are_names_gone(int unused)
{
    (void)unused;
    return !is_named("ch-run_shm-") && !is_named("sem.ch-run_sem-");
}

static bool are_names_there(void)
{
    return is_named("ch-run_shm-") && is_named("sem.ch-run_sem-");
}

/* Lets the first COUNT go and waits for their end. */
static bool end_peers(int count)
{
    bool is_good = true;

    for (int i = 0; i < count; i++) {
        int status;
        reports[i].may_end = 1;
        if (waitpid(reports[i].pid, &status, 0) != reports[i].pid)
            continue; /* killed and waited for before */
        is_good &= WIFEXITED(status) && WEXITSTATUS(status) == 0;
    }
    return is_good;
}

static void kill_peer(int i)
{
    kill(reports[i].pid, SIGKILL);
    waitpid(reports[i].pid, NULL, 0);
}

static int count_winners(int count)
{
    int winners = 0;
    for (int i = 0; i < count; i++)
        winners += reports[i].won;
    return winners;
}

static void test_crowd(void)
{
    bool is_one = true;

    for (int i = 0; i < PEERS_MAX; i++)
        start_peer(i, PEERS_MAX, rand_r(&seed) % 3000, true);
    for (int i = 0; i < PEERS_MAX; i++)
        is_one &= comes(is_joined, i) && reports[i].place == reports[0].place;
    check(is_one && reports[0].place != own_place(), "join: %d peers share one container",
          PEERS_MAX);
    check(count_winners(PEERS_MAX) == 1, "join: one of them wins");
    check(comes(are_names_gone, 0), "join: names go with the last who joins");
    check(end_peers(PEERS_MAX), "join: all of them end well");
}

/* The processes of ours that are keepers. */
static void kill_keepers(void)
{
    DIR *list = opendir("/proc");
    struct dirent *entry;

    while ((entry = readdir(list)) != NULL) {
        char path[300], name[32] = "";
        FILE *file;
        int pid = atoi(entry->d_name), parent = 0;
        snprintf(path, sizeof(path), "/proc/%s/stat", entry->d_name);
        file = pid > 0 ? fopen(path, "re") : NULL;
        if (file == NULL)
            continue;
        if (fscanf(file, "%*d (%31[^)]) %*c %d", name, &parent) == 2 && parent == getpid() &&
            strcmp(name, "ch-join") == 0) {
            kill(pid, SIGKILL);
            waitpid(pid, NULL, 0);
        }
        fclose(file);
    }
    closedir(list);
}

/* One of many runs in which some of PEERS are killed at some time, and the keeper, if WITH_KEEPER:
 * all that are left must come together. */
static bool survive_kills(int peers, bool with_keeper)
{
    bool is_killed[PEERS_MAX] = {false}, is_good = true;
    ino_t place = 0;

    for (int i = 0; i < peers; i++)
        start_peer(i, peers, rand_r(&seed) % 20000, true);
    for (int k = rand_r(&seed) % peers; k > 0; k--) {
        int victim = rand_r(&seed) % peers;
        sleep_us(rand_r(&seed) % 2000);
        is_killed[victim] = true;
        kill_peer(victim);
        if (with_keeper && k % 4 == 0)
            kill_keepers();
    }
    for (int i = 0; i < peers; i++) {
        if (is_killed[i])
            continue;
        is_good &= comes(is_joined, i) && (place == 0 || place == reports[i].place);
        place = reports[i].place;
    }
    end_peers(peers);
    return is_good;
}

static void test_random_kills(void)
{
    const int rounds = 30;
    int good = 0;

    for (int round = 0; round < rounds; round++)
        good += survive_kills(24, false) && comes(are_names_gone, 0);
    check(good == rounds, "join: whoever is killed, the others share a container: %d of %d", good,
          rounds);
    good = 0;
    for (int round = 0; round < rounds; round++)
        good += survive_kills(24, true);
    check(good == rounds, "join: the keeper, too: %d of %d", good, rounds);
    start_peer(0, 1, 0, true);
    check(comes(is_joined, 0) && end_peers(1) && comes(are_names_gone, 0),
          "join: and what that leaves is taken away in the end");
}

static void test_winner_killed(void)
{
    start_peer(0, 4, 0, false);
    check(comes(is_building, 0) && are_names_there(), "join: names are there while one builds");
    for (int i = 1; i < 4; i++)
        start_peer(i, 4, 0, true);
    sleep_us(100000);
    check(!is_joined(1) && !is_joined(2) && !is_joined(3), "join: losers wait for the winner");
    kill_peer(0);
    check(comes(is_joined, 1) && comes(is_joined, 2) && comes(is_joined, 3) &&
              reports[1].place == reports[2].place && reports[2].place == reports[3].place,
          "join: another builds when the winner is killed");
    check(count_winners(4) == 2, "join: only one other does");
    check(comes(are_names_gone, 0), "join: the dead are not waited for");
    end_peers(4);
}

static void test_all_killed(void)
{
    start_peer(0, 3, 0, false);
    comes(is_building, 0);
    kill_peer(0);
    check(comes(are_names_gone, 0), "join: names go when the only peer is killed building");
    start_peer(0, 3, 0, true);
    start_peer(1, 3, 0, true);
    check(comes(is_joined, 0) && comes(is_joined, 1) && are_names_there(),
          "join: names stay while a peer may come");
    kill_peer(0);
    sleep_us(200000);
    check(are_names_there(), "join: and while one is left in the container");
    start_peer(2, 3, 0, true);
    check(comes(is_joined, 2) && !reports[2].won && reports[2].place == reports[1].place,
          "join: a late peer enters though the winner has ended");
    check(comes(are_names_gone, 0), "join: and completes the group");
    end_peers(3);
}

static void test_too_few(void)
{
    start_peer(0, 3, 0, true);
    start_peer(1, 3, 0, true);
    check(comes(is_joined, 0) && comes(is_joined, 1) && end_peers(2) && comes(are_names_gone, 0),
          "join: too few peers leave nothing when they end");
    start_peer(0, 3, 0, true);
    comes(is_joined, 0);
    start_peer(1, 3, 0, true);
    start_peer(2, 3, 0, true);
    check(comes(is_joined, 1) && comes(is_joined, 2) && reports[1].place == reports[0].place &&
              reports[2].place == reports[0].place && comes(are_names_gone, 0),
          "join: the tag is good again");
    end_peers(3);
}

static void test_too_many(void)
{
    for (int i = 0; i < 5; i++) {
        start_peer(i, 2, 0, true);
        comes(is_joined, i);
    }
    check(reports[0].place == reports[1].place && reports[1].place != reports[2].place &&
              reports[2].place == reports[3].place && reports[3].place != reports[4].place,
          "join: peers beyond the count make the next group");
    end_peers(5);
    check(comes(are_names_gone, 0), "join: which leaves nothing either");
    for (int i = 0; i < 40; i++)
        start_peer(i, 3, rand_r(&seed) % 3000, true);
    for (int i = 0; i < 40; i++)
        comes(is_joined, i);
    check(count_winners(40) == 14, "join: 40 peers make 14 groups of 3 at most: %d",
          count_winners(40));
    check(end_peers(40) && comes(are_names_gone, 0), "join: and end well");
}

static void leave_behind(void)
{
    start_peer(0, 3, 0, false);
    comes(is_building, 0);
    kill_keepers();
    kill_peer(0);
}

static void test_leftovers(void)
{
    char path[128], first[64];

    leave_behind();
    check(are_names_there(), "join: if the keeper is killed, too, names are left");
    for (int i = 0; i < 3; i++)
        start_peer(i, 3, 0, true);
    check(comes(is_joined, 0) && comes(is_joined, 1) && comes(is_joined, 2) &&
              count_winners(3) == 1 && comes(are_names_gone, 0),
          "join: the next group of that tag does not mind");
    end_peers(3);

    leave_behind();
    snprintf(first, sizeof(first), "%s", tag);
    strcat(tag, "-other");
    start_peer(0, 1, 0, true);
    comes(is_joined, 0);
    end_peers(1);
    snprintf(tag, sizeof(tag), "%s", first);
    check(are_names_gone(0), "join: a group of any tag takes them away");

    snprintf(path, sizeof(path), "/dev/shm/ch-run_shm-%s", tag);
    close(open(path, O_CREAT | O_WRONLY, 0600));
    if (truncate(path, 8) < 0)
        check(false, "truncate");
    snprintf(path, sizeof(path), "/dev/shm/sem.ch-run_sem-%s", tag);
    close(open(path, O_CREAT | O_WRONLY, 0600));
    start_peer(0, 1, 0, true);
    check(comes(is_joined, 0) && end_peers(1) && comes(are_names_gone, 0),
          "join: what another program of that name has left is taken away");
}

static void test_keeper_killed(void)
{
    start_peer(0, 3, 0, true);
    comes(is_joined, 0);
    kill_keepers();
    start_peer(1, 3, 0, true);
    check(comes(is_joined, 1) && reports[1].place == reports[0].place,
          "join: a group without its keeper goes on");
    kill_peer(0);
    kill_peer(1);
    check(comes(are_names_gone, 0), "join: and has a new one");
}

static bool is_possible(void)
{
    pid_t pid = fork();
    int status;

    if (pid == 0)
        _exit(unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 ? 0 : 1);
    return waitpid(pid, &status, 0) == pid && status == 0;
}

int main(void)
{
    seed = (unsigned)time(NULL);
    printf("# seed %u\n", seed);
    alarm(240);
    prctl(PR_SET_CHILD_SUBREAPER, 1); /* so that keepers can be found */
    message_setup("join_test", NULL, 0, 31);
    reports = mmap(NULL, PEERS_MAX * sizeof(*reports), PROT_READ | PROT_WRITE,
                   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (!is_possible()) {
        check_lacks("join_test", "no user namespaces");
        return check_failures != 0;
    }
    snprintf(tag, sizeof(tag), "test-%d", (int)getpid());
    test_crowd();
    test_winner_killed();
    test_all_killed();
    test_too_few();
    test_too_many();
    test_leftovers();
    test_keeper_killed();
    test_random_kills();
    return check_failures != 0;
}
