# A balancer's machine is given the agent.
target_link_libraries(tt_local PUBLIC tt_proxies)
