"""The configuration files of the control plane: section by section, as each service wants them."""

import configparser
import os

PASSWORD = "adminpw"


def database(place, name):
    return "mysql+pymysql://root@localhost/%s?unix_socket=%s/sql.sock" % (name, place)


def credentials(ports):
    return {
        "auth_type": "password",
        "auth_url": "http://127.0.0.1:%d/v3" % ports["keystone"],
        "username": "admin",
        "password": PASSWORD,
        "project_name": "admin",
        "user_domain_id": "default",
        "project_domain_id": "default",
        "region_name": "RegionOne",
    }


def token_check(ports):
    return dict(credentials(ports),
                www_authenticate_uri="http://127.0.0.1:%d" % ports["keystone"])


def write(path, sections):
    parser = configparser.RawConfigParser(default_section="none")
    parser.optionxform = str
    for name, values in sections.items():
        parser[name] = {key: str(value) for key, value in values.items()}
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        parser.write(file)
    return path


def keystone(place, ports):
    return {
        "DEFAULT": {"log_file": place + "/log/keystone.log"},
        "database": {"connection": database(place, "keystone")},
        "token": {"provider": "fernet", "expiration": 86400},
        "fernet_tokens": {"key_repository": place + "/etc/fernet"},
        "fernet_receipts": {"key_repository": place + "/etc/fernet"},
        "credential": {"key_repository": place + "/etc/credential"},
        "identity": {"password_hash_rounds": 4},
    }


def placement(place, ports):
    return {
        "DEFAULT": {"log_file": place + "/log/placement.log"},
        "api": {"auth_strategy": "keystone"},
        "placement_database": {"connection": database(place, "placement")},
        "keystone_authtoken": token_check(ports),
    }


def glance(place, ports):
    return {
        "DEFAULT": {"log_file": place + "/log/glance.log", "enabled_backends": "fs:file"},
        "database": {"connection": database(place, "glance")},
        "glance_store": {"default_backend": "fs"},
        "fs": {"filesystem_store_datadir": place + "/glance/images"},
        "os_glance_staging_store": {"filesystem_store_datadir": place + "/glance/staging"},
        "os_glance_tasks_store": {"filesystem_store_datadir": place + "/glance/tasks"},
        "paste_deploy": {"flavor": "keystone",
                         "config_file": "/usr/share/glance-common/glance-api-paste.ini"},
        "oslo_concurrency": {"lock_path": place + "/lock"},
        "keystone_authtoken": token_check(ports),
    }


def nova(place, ports):
    return {
        "DEFAULT": {
            "transport_url": "rabbit://guest:guest@127.0.0.1:%d/" % ports["rabbit"],
            "my_ip": "127.0.0.1",
            "state_path": place + "/nova",
            "instances_path": place + "/nova/instances",
            "compute_driver": "fake.FakeDriver",
            "default_schedule_zone": "az1",
            "report_interval": 2,
            "service_down_time": 8,
        },
        "api": {"auth_strategy": "keystone"},
        "wsgi": {"api_paste_config": "/usr/share/nova-common/api-paste.ini"},
        "api_database": {"connection": database(place, "nova_api")},
        "database": {"connection": database(place, "nova_cell1")},
        "conductor": {"workers": 1},
        "scheduler": {"workers": 1, "discover_hosts_in_cells_interval": 10},
        "vnc": {"enabled": "false"},
        "quota": {"driver": "nova.quota.NoopQuotaDriver"},
        "glance": {"api_servers": "http://127.0.0.1:%d" % ports["glance"]},
        "oslo_concurrency": {"lock_path": place + "/lock"},
        "key_manager": {"backend": "nova.keymgr.conf_key_mgr.ConfKeyManager"},
        "keystone_authtoken": token_check(ports),
        "placement": credentials(ports),
        "neutron": credentials(ports),
        # the token of a service beside the user's, so that calls between services are taken
        "service_user": dict(credentials(ports), send_service_user_token="true"),
    }


def compute(place, host, driver):
    return {"DEFAULT": {"host": host, "state_path": "%s/nova/%s" % (place, host),
                        "compute_driver": driver}}


def neutron(place, ports):
    return {
        "DEFAULT": {
            "transport_url": "rabbit://guest:guest@127.0.0.1:%d/" % ports["rabbit"],
            "bind_host": "127.0.0.1",
            "bind_port": ports["neutron"],
            "core_plugin": "ml2",
            "service_plugins": "router",
            "auth_strategy": "keystone",
            "api_workers": 0,
            "rpc_workers": 0,
            "rpc_state_report_workers": 0,
            "api_paste_config": "/usr/share/neutron-common/api-paste.ini",
            "state_path": place + "/neutron",
            "notify_nova_on_port_status_changes": "false",
            "notify_nova_on_port_data_changes": "false",
            "dhcp_agent_notification": "false",
        },
        "quotas": {"quota_port": -1, "quota_security_group": -1, "quota_floatingip": -1},
        "database": {"connection": database(place, "neutron")},
        "oslo_concurrency": {"lock_path": place + "/lock"},
        "ml2": {
            "type_drivers": "local,flat",
            "tenant_network_types": "local",
            "mechanism_drivers": "bind_all",
            "extension_drivers": "port_security",
        },
        "ml2_type_flat": {"flat_networks": "*"},
        "securitygroup": {"enable_security_group": "true"},
        "keystone_authtoken": token_check(ports),
    }


def octavia(place, ports, network_driver):
    return {
        "DEFAULT": {"transport_url": "rabbit://guest:guest@127.0.0.1:%d/" % ports["rabbit"],
                    "log_file": place + "/log/octavia.log"},
        "api_settings": {
            "bind_host": "127.0.0.1",
            "bind_port": ports["octavia"],
            "auth_strategy": "keystone",
            "enabled_provider_drivers": "amphora:machines that are not there",
            "default_provider_driver": "amphora",
        },
        "database": {"connection": database(place, "octavia")},
        "oslo_messaging": {"topic": "octavia_prov", "rpc_thread_pool_size": 2},
        "controller_worker": {
            "workers": 1,
            "amphora_driver": "amphora_noop_driver",
            "compute_driver": "compute_noop_driver",
            "network_driver": network_driver,
            "image_driver": "image_noop_driver",
            "volume_driver": "volume_noop_driver",
            "amp_image_tag": "none",
            "amp_flavor_id": "none",
            "amp_boot_network_list": "00000000-0000-0000-0000-000000000001",
            "client_ca": place + "/ca/ca.pem",
            "loadbalancer_topology": "SINGLE",
        },
        "certificates": {
            "cert_generator": "local_cert_generator",
            "cert_manager": "local_cert_manager",
            "ca_certificate": place + "/ca/ca.pem",
            "ca_private_key": place + "/ca/ca.key",
            "ca_private_key_passphrase": "foobar",
            "server_certs_key_passphrase": "insecure-key-do-not-use-this-key",
        },
        "health_manager": {
            "bind_ip": "127.0.0.1",
            "bind_port": ports["heartbeat"],
            "controller_ip_port_list": "127.0.0.1:%d" % ports["heartbeat"],
            "heartbeat_key": "insecure",
            "heartbeat_timeout": 2147483,
        },
        "driver_agent": {name + "_socket_path": "%s/octavia/%s.sock" % (place, name)
                         for name in ("status", "stats", "get")},
        "service_auth": credentials(ports),
        "neutron": {"region_name": "RegionOne",
                    "endpoint_override": "http://127.0.0.1:%d" % ports["neutron"]},
        "oslo_concurrency": {"lock_path": place + "/lock"},
        "keystone_authtoken": token_check(ports),
    }
