// SPDX-License-Identifier: GPL-2.0-only
/* Tests of dmacpy_account.c. */
#include <kunit/test.h>
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>

#include "dmacpy_account.h"
#include "dmacpy_param.h"

#define LIMIT	4

/* A user id that is not in use. */
#define USER		0x7ffffff0

/**
 * struct account_test - limits to restore
 * @quota_kib: value of the parameter
 * @streams: value of the parameter
 * @handles: value of the parameter
 * @jobs: value of the parameter
 * @bytes: value of the parameter
 * @memlock: limit of this task
 */
struct account_test {
	unsigned int quota_kib;
	unsigned int streams;
	unsigned int handles;
	unsigned int jobs;
	unsigned int bytes;
	struct rlimit memlock;
};

static void account_put_cred(void *cred)
{
	put_cred(cred);
}

/* Returns credentials of a user without capabilities. */
static struct cred *account_cred(struct kunit *test, uid_t user)
{
	struct cred *cred = prepare_creds();

	KUNIT_ASSERT_NOT_NULL(test, cred);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test,
							   account_put_cred,
							   cred));
	cred->uid = KUIDT_INIT(user);
	cred->cap_effective = CAP_EMPTY_SET;
	return cred;
}

static void account_put(void *account)
{
	dmacpy_account_put(account);
}

static struct dmacpy_account *account_of(struct kunit *test, uid_t user)
{
	const struct cred *old = override_creds(account_cred(test, user));
	struct dmacpy_account *account = dmacpy_account_get_current();

	revert_creds(old);
	KUNIT_ASSERT_NOT_NULL(test, account);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, account_put,
							   account));
	return account;
}

/* Charges by a task without capabilities. */
static int account_charge(struct kunit *test, struct dmacpy_account *account,
			  enum dmacpy_resource resource, unsigned long pages)
{
	const struct cred *old = override_creds(account_cred(test, USER));
	int ret = dmacpy_account_charge(account, resource, pages);

	revert_creds(old);
	return ret;
}

/* Catches: a limit that is off by one; a charge that is not returned. */
static void account_limits(struct kunit *test)
{
	struct dmacpy_account *account = account_of(test, USER);
	enum dmacpy_resource res;

	for (res = 0; res < DMACPY_RESOURCES; res++) {
		KUNIT_EXPECT_EQ(test, -EDQUOT,
				account_charge(test, account, res,
					       LIMIT + 1));
		KUNIT_EXPECT_EQ(test, -EDQUOT,
				account_charge(test, account, res, ULONG_MAX));
		KUNIT_EXPECT_EQ(test, 0, account_charge(test, account, res,
							LIMIT - 1));
		KUNIT_EXPECT_EQ(test, -EDQUOT,
				account_charge(test, account, res, 2));
		KUNIT_EXPECT_EQ(test, -EDQUOT,
				account_charge(test, account, res, ULONG_MAX));
		KUNIT_EXPECT_EQ(test, 0, account_charge(test, account, res, 1));
		KUNIT_EXPECT_EQ(test, -EDQUOT,
				account_charge(test, account, res, 1));
		dmacpy_account_uncharge(account, res, 1);
		KUNIT_EXPECT_EQ(test, 0, account_charge(test, account, res, 1));
		dmacpy_account_uncharge(account, res, LIMIT);
	}
}

/* Catches: a resource that is charged as another. */
static void account_resources_are_separate(struct kunit *test)
{
	struct dmacpy_account *account = account_of(test, USER);
	enum dmacpy_resource res;

	for (res = 0; res < DMACPY_RESOURCES; res++)
		KUNIT_EXPECT_EQ(test, 0, account_charge(test, account, res,
							LIMIT));
	for (res = 0; res < DMACPY_RESOURCES; res++)
		dmacpy_account_uncharge(account, res, LIMIT);
}

/* Catches: two accounts of one user, or one of two users. */
static void account_is_per_user(struct kunit *test)
{
	struct dmacpy_account *account = account_of(test, USER);

	KUNIT_EXPECT_PTR_EQ(test, account, account_of(test, USER));
	KUNIT_EXPECT_PTR_NE(test, account, account_of(test, USER + 1));
	KUNIT_EXPECT_PTR_NE(test, account, account_of(test, 0));
}

/* Catches: an account that is freed before the last reference is dropped. */
static void account_lives_with_its_references(struct kunit *test)
{
	struct dmacpy_account *account = account_of(test, USER);

	/* A new account, perhaps in the same memory, would have no charge. */
	KUNIT_EXPECT_EQ(test, 0, account_charge(test, account, DMACPY_HANDLES,
						1));
	dmacpy_account_get(account);
	dmacpy_account_put(account);
	KUNIT_EXPECT_PTR_EQ(test, account, account_of(test, USER));
	KUNIT_EXPECT_EQ(test, 1,
			atomic_long_read(&account->used[DMACPY_HANDLES]));
	dmacpy_account_uncharge(account, DMACPY_HANDLES, 1);
}

/* Catches: a quota of 0 that is treated as a limit. */
static void account_quota_may_be_off(struct kunit *test)
{
	struct dmacpy_account *account = account_of(test, USER);

	dmacpy_sram_quota.value = 0;
	KUNIT_EXPECT_EQ(test, 0, account_charge(test, account,
						DMACPY_SRAM_PAGES,
						100 * LIMIT));
	dmacpy_account_uncharge(account, DMACPY_SRAM_PAGES, 100 * LIMIT);
}

/* Catches: a capability that overrides the limit of another resource. */
static void account_rights(struct kunit *test)
{
	static const int rights[] = {
		[DMACPY_PINNED_PAGES] = CAP_IPC_LOCK,
		[DMACPY_SRAM_PAGES] = CAP_SYS_RESOURCE,
		[DMACPY_STREAMS] = CAP_SYS_RESOURCE,
		[DMACPY_HANDLES] = CAP_SYS_RESOURCE,
	};
	struct dmacpy_account *account = account_of(test, USER);
	struct cred *cred = account_cred(test, USER);
	enum dmacpy_resource res, held;
	const struct cred *old;
	int ret;

	for (held = 0; held < DMACPY_RESOURCES; held++) {
		cred->cap_effective = CAP_EMPTY_SET;
		cap_raise(cred->cap_effective, rights[held]);
		for (res = 0; res < DMACPY_RESOURCES; res++) {
			old = override_creds(cred);
			ret = dmacpy_account_charge(account, res,
						    LIMIT + 1);
			revert_creds(old);
			KUNIT_EXPECT_EQ(test, rights[res] == rights[held] ?
					0 : -EDQUOT, ret);
			if (!ret)
				dmacpy_account_uncharge(account, res,
							LIMIT + 1);
		}
	}
}

static bool account_begin(struct dmacpy_account *account, unsigned int jobs,
			  u64 bytes)
{
	bool begun = true;

	while (jobs--)
		begun &= dmacpy_account_begin_job(account, bytes);
	return begun;
}

static void account_end(struct dmacpy_account *account, unsigned int jobs,
			u64 bytes)
{
	while (jobs--)
		dmacpy_account_end_job(account, bytes);
}

/* Catches: a limit of jobs that is off by one; bytes counted as jobs. */
static void account_limits_jobs(struct kunit *test)
{
	struct dmacpy_account *account = account_of(test, USER);

	dmacpy_max_user_jobs.value = 3;
	dmacpy_max_user_bytes.value = U32_MAX;
	KUNIT_EXPECT_TRUE(test, account_begin(account, 2, 1 << 30));
	KUNIT_EXPECT_TRUE(test, dmacpy_account_has_room(account));
	KUNIT_EXPECT_TRUE(test, account_begin(account, 1, 1 << 30));
	KUNIT_EXPECT_FALSE(test, dmacpy_account_has_room(account));
	KUNIT_EXPECT_FALSE(test, account_begin(account, 1, 0));
	account_end(account, 1, 1 << 30);
	KUNIT_EXPECT_TRUE(test, dmacpy_account_has_room(account));
	KUNIT_EXPECT_TRUE(test, account_begin(account, 1, 1));
	account_end(account, 1, 1);
	account_end(account, 2, 1 << 30);
	KUNIT_EXPECT_EQ(test, 0, atomic64_read(&account->queued));
}

/* Catches: a long job that is refused for ever; bytes that are not counted. */
static void account_limits_bytes(struct kunit *test)
{
	struct dmacpy_account *account = account_of(test, USER);

	dmacpy_max_user_jobs.value = 10;
	dmacpy_max_user_bytes.value = 100;
	KUNIT_EXPECT_TRUE(test, account_begin(account, 1, 99));
	KUNIT_EXPECT_TRUE(test, account_begin(account, 1, 1 << 30));
	KUNIT_EXPECT_FALSE(test, dmacpy_account_has_room(account));
	KUNIT_EXPECT_FALSE(test, account_begin(account, 1, 1));
	account_end(account, 1, 1 << 30);
	KUNIT_EXPECT_TRUE(test, account_begin(account, 1, 1));
	KUNIT_EXPECT_FALSE(test, account_begin(account, 1, 1));
	account_end(account, 1, 1);
	account_end(account, 1, 99);
	KUNIT_EXPECT_EQ(test, 0, atomic64_read(&account->queued));
}

static int account_init(struct kunit *test)
{
	struct rlimit *memlock = &current->signal->rlim[RLIMIT_MEMLOCK];
	struct account_test *at;

	at = kunit_kzalloc(test, sizeof(*at), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, at);
	at->quota_kib = dmacpy_sram_quota.value;
	at->memlock = *memlock;
	at->streams = dmacpy_max_user_streams.value;
	at->handles = dmacpy_max_user_handles.value;
	at->jobs = dmacpy_max_user_jobs.value;
	at->bytes = dmacpy_max_user_bytes.value;
	dmacpy_sram_quota.value = LIMIT * PAGE_SIZE / 1024;
	dmacpy_max_user_streams.value = LIMIT;
	dmacpy_max_user_handles.value = LIMIT;
	memlock->rlim_cur = LIMIT * PAGE_SIZE;
	test->priv = at;
	return 0;
}

static void account_exit(struct kunit *test)
{
	struct account_test *at = test->priv;

	if (!at)
		return;
	dmacpy_sram_quota.value = at->quota_kib;
	dmacpy_max_user_streams.value = at->streams;
	dmacpy_max_user_handles.value = at->handles;
	dmacpy_max_user_jobs.value = at->jobs;
	dmacpy_max_user_bytes.value = at->bytes;
	current->signal->rlim[RLIMIT_MEMLOCK] = at->memlock;
}

static struct kunit_case account_cases[] = {
	KUNIT_CASE(account_limits),
	KUNIT_CASE(account_resources_are_separate),
	KUNIT_CASE(account_is_per_user),
	KUNIT_CASE(account_lives_with_its_references),
	KUNIT_CASE(account_quota_may_be_off),
	KUNIT_CASE(account_rights),
	KUNIT_CASE(account_limits_jobs),
	KUNIT_CASE(account_limits_bytes),
	{ }
};

static struct kunit_suite account_suite = {
	.name = "dmacpy_account",
	.init = account_init,
	.exit = account_exit,
	.test_cases = account_cases,
};

kunit_test_suites(&account_suite);
