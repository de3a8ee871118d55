# The agent's files become an array in C, so that the program carries them.
tt_embed(tt_proxies providers/proxies/agent providers/proxies/agent.h tt_agent_file tt_agent_files)
