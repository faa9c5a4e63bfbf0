/* job.c */ typedef int moho_job_unused;
